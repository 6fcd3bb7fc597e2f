//! `ferroalloy fmt`, on files, standard input and folders.

use std::fs;

use crate::cli::{ferroalloy, stderr};

#[test]
fn files_are_formatted() {
    let formatted = ferroalloy(&["fmt"], Some("logging {\n level=\"warn\"\n}"));
    assert!(formatted.status.success(), "{}", stderr(&formatted));
    assert_eq!(
        String::from_utf8_lossy(&formatted.stdout),
        "logging {\n\tlevel = \"warn\"\n}\n"
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.alloy");
    fs::write(&path, "logging { level=\"warn\" }").unwrap();
    let name = path.to_str().unwrap();
    assert_eq!(ferroalloy(&["fmt", "-t", name], None).status.code(), Some(1));
    assert!(ferroalloy(&["fmt", "-w", name], None).status.success());
    assert!(ferroalloy(&["fmt", "-t", name], None).status.success());

    let both = ferroalloy(&["fmt", "-w", "-t", name], None);
    assert_eq!(both.status.code(), Some(1));
    assert!(stderr(&both).contains("exclude each other"), "{}", stderr(&both));

    let broken = ferroalloy(&["fmt", "-"], Some("logging {"));
    assert_eq!(broken.status.code(), Some(1));
    assert!(stderr(&broken).contains("<stdin>:1:"), "{}", stderr(&broken));
    assert!(broken.stdout.is_empty());
}

#[test]
fn a_folder_is_formatted_whatever_is_wrong_with_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let within = folder.path().join("sub");
    fs::create_dir(&within).unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    let ugly = "logging { level=\"warn\" }";
    let (a, broken) = (folder.path().join("a.alloy"), folder.path().join("broken.alloy"));
    let (b, other) = (within.join("b.alloy"), within.join("notes.txt"));
    let hidden = folder.path().join(".git/c.alloy");
    for file in [&a, &b, &other, &hidden] {
        fs::write(file, ugly).unwrap();
    }
    fs::write(&broken, "logging {").unwrap();
    let name = folder.path().to_str().unwrap();

    let untold = ferroalloy(&["fmt", name], None);
    assert_eq!(untold.status.code(), Some(1));
    assert!(
        stderr(&untold).contains("is a folder; use -w"),
        "{}",
        stderr(&untold)
    );

    let tested = ferroalloy(&["fmt", "-t", name], None);
    assert_eq!(tested.status.code(), Some(1));
    let said = stderr(&tested);
    assert!(said.contains("a.alloy is not formatted correctly"), "{said}");
    assert!(said.contains("b.alloy is not formatted correctly"), "{said}");
    assert!(said.contains("broken.alloy:1:"), "{said}");
    assert_eq!(fs::read_to_string(&a).unwrap(), ugly);

    let written = ferroalloy(&["fmt", "-w", name], None);
    assert_eq!(written.status.code(), Some(1), "one file is broken");
    for file in [&a, &b] {
        assert_eq!(
            fs::read_to_string(file).unwrap(),
            "logging {\n\tlevel = \"warn\"\n}\n"
        );
    }
    for file in [&other, &hidden] {
        assert_eq!(fs::read_to_string(file).unwrap(), ugly);
    }
    fs::remove_file(&broken).unwrap();
    assert!(ferroalloy(&["fmt", "-t", name], None).status.success());
    let left: Vec<_> = fs::read_dir(&within).unwrap().collect();
    assert_eq!(left.len(), 2, "nothing is left behind");
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("a.alloy")).unwrap();
    let output = ferroalloy(&["fmt", "-t", folder.path().to_str().unwrap()], None);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("a.alloy"), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn writing_keeps_links_and_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("a.alloy"), folder.path().join("link.alloy"));
    fs::write(&file, "logging { }\n\n\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&file, &link).unwrap();
    assert!(
        ferroalloy(&["fmt", "-w", link.to_str().unwrap()], None)
            .status
            .success()
    );
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&file).unwrap(), "logging { }\n");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
}
