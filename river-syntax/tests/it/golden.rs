//! Golden files: `tests/data/AREA/NAME.alloy` and what is expected of it beside it. `UPDATE_GOLDEN=1` writes the latter.

use std::path::Path;

/// Runs `output` on every input of an area and compares with the file of the given extension.
pub(crate) fn check(area: &str, extension: &str, output: impl Fn(&str, &str) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(area);
    let mut inputs: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    inputs.retain(|path| path.extension().is_some_and(|found| found == "alloy"));
    inputs.sort();
    assert!(!inputs.is_empty(), "no inputs in {}", folder.display());
    let mut wrong = Vec::new();
    for input in inputs {
        let name = input.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&input).unwrap();
        let made = output(&name, &text);
        let golden = input.with_extension(extension);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &made).unwrap();
        } else if std::fs::read_to_string(&golden).ok().as_deref() != Some(&*made) {
            wrong.push(format!("{} differs; got:\n{made}", golden.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
