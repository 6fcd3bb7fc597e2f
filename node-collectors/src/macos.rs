//! What the macOS halves of the collectors share: the kernel's calls as traits, and the reading of what they
//! return. Nothing here is unsafe or tied to a Mac, so every conversion is tested on any machine from
//! buffers made by hand; only [`crate::sys`] makes the calls.

pub(crate) mod bytes;
pub(crate) mod calls;
#[cfg_attr(
    not(target_os = "macos"),
    allow(dead_code, reason = "only a Mac asks and answers")
)]
pub(crate) mod devices;
#[cfg(any(target_os = "macos", test))]
pub(crate) mod growing;
#[cfg(test)]
pub(crate) mod inventory;
pub(crate) mod layout;
#[cfg(test)]
mod printed;
#[cfg_attr(
    not(target_os = "macos"),
    allow(dead_code, reason = "only a Mac asks and answers")
)]
pub(crate) mod property;
#[cfg(test)]
pub(crate) mod recorded;
pub(crate) mod smc;
pub(crate) mod wrap;

#[cfg(test)]
mod tests {
    use ferroalloy_model::Families;

    use crate::collector::{Context, Platform, Support};
    use crate::collectors::Options;
    use crate::roots::Roots;
    use crate::selection::registry;

    #[test]
    fn what_runs_on_macos_is_built_on_every_system() {
        let (roots, options) = (Roots::default(), Options::default());
        let enabled = |_: &str| true;
        let context = Context {
            platform: Platform::MacOs,
            roots: &roots,
            options: &options,
            mode: crate::mode::Mode::Fixed,
            enabled: &enabled,
        };
        for descriptor in registry()
            .iter()
            .filter(|descriptor| descriptor.macos != Support::Absent)
        {
            let collector = (descriptor.build)(&context).unwrap();
            // These ask other programs, which need not run.
            if matches!(descriptor.name, "ntp" | "supervisord") {
                continue;
            }
            let result = collector.update(&mut Families::new());
            assert!(
                result.is_ok() || cfg!(not(target_os = "macos")),
                "{}: {result:?}",
                descriptor.name
            );
        }
    }

    const DOCUMENTATION: &str = include_str!("../docs/macos.md");

    #[test]
    fn every_collector_and_family_is_documented() {
        for descriptor in registry() {
            let section = format!("| **{}**", descriptor.name);
            let documented = DOCUMENTATION.contains(&section);
            assert_eq!(
                documented,
                descriptor.macos != Support::Absent,
                "{}",
                descriptor.name
            );
            if documented {
                let off = DOCUMENTATION.contains(&format!("{section} (off)"));
                assert_eq!(off, descriptor.macos == Support::Off, "{}", descriptor.name);
            }
        }
        let Some(folder) = std::env::var_os("FERROALLOY_CONFORMANCE") else {
            println!("skipped: FERROALLOY_CONFORMANCE is not set");
            return;
        };
        let folder = std::path::Path::new(&folder).join("node_exporter");
        let inventory = std::fs::read_to_string(folder.join("metrics-inventory.tsv")).unwrap();
        let here = |name: &str| {
            let descriptor = registry().iter().find(|descriptor| descriptor.name == name);
            descriptor.is_some_and(|descriptor| descriptor.macos != Support::Absent)
        };
        let rows = inventory.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let rows: Vec<_> = rows.filter(|row| row[0] == "darwin" && here(row[1])).collect();
        assert!(rows.len() > 70, "{}", rows.len());
        let documented = |family: &str| {
            let names = DOCUMENTATION.lines().filter_map(|line| {
                line.strip_prefix("| `")
                    .and_then(|rest| Some(rest.split_once("` |")?.0))
            });
            let mut names = names.map(|name| (name.trim_end_matches('*'), name.ends_with('*')));
            names.any(|(name, open)| family == name || open && family.starts_with(name))
        };
        for row in &rows {
            let family = row[2].trim_start_matches("node_");
            assert!(documented(family), "{family}");
        }
    }

    #[test]
    #[cfg(not(target_os = "macos"))]
    fn elsewhere_every_call_is_refused() {
        use crate::macos::calls::{Mach, MountTable, Sysctl};
        use crate::sys::Kernel;
        let mut bytes = Vec::new();
        let errors = [
            Kernel.by_name(c"vm.loadavg", &mut bytes).unwrap_err(),
            Kernel.by_numbers(&[1, 2], &mut bytes).unwrap_err(),
            Kernel.processor_ticks(&mut Vec::new()).unwrap_err(),
            Kernel.vm_statistics().unwrap_err(),
            Kernel.mounts(&mut bytes).unwrap_err(),
        ];
        assert!(
            errors
                .iter()
                .all(|error| error.kind() == std::io::ErrorKind::Unsupported)
        );
    }
}
