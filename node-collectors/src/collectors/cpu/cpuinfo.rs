//! `/proc/cpuinfo`, which every architecture writes in its own words (arch/*/kernel/cpu/proc.c and the like).
//! The architecture is a value, so that all readers are tested on any machine.

/// One entry; texts as in the file, empty where the architecture does not tell.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Entry {
    pub(super) processor: u64,
    pub(super) vendor: String,
    pub(super) family: String,
    pub(super) model: String,
    pub(super) model_name: String,
    pub(super) stepping: String,
    pub(super) microcode: String,
    pub(super) megahertz: f64,
    pub(super) cache_size: String,
    pub(super) package: String,
    pub(super) core: String,
    pub(super) flags: Vec<String>,
    pub(super) bugs: Vec<String>,
}

/// Architectures whose file is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Architecture {
    X86,
    Arm,
    S390,
    PowerPc,
    RiscV,
    /// MIPS and LoongArch.
    Mips,
}

impl Architecture {
    /// That of this program.
    pub(super) fn current() -> Result<Self, String> {
        match std::env::consts::ARCH {
            "x86" | "x86_64" => Ok(Self::X86),
            "arm" | "aarch64" => Ok(Self::Arm),
            "s390x" => Ok(Self::S390),
            "powerpc" | "powerpc64" => Ok(Self::PowerPc),
            "riscv32" | "riscv64" => Ok(Self::RiscV),
            "mips" | "mips64" | "loongarch64" => Ok(Self::Mips),
            other => Err(format!("the format of {other} is not known")),
        }
    }
}

/// The entries of the file; the error says what is wrong with it.
pub(super) fn parse(architecture: Architecture, content: &str) -> Result<Vec<Entry>, String> {
    let mut common = Entry::default();
    let mut entries: Vec<Entry> = Vec::new();
    for line in content.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        let fault = || format!("bad line {line:?}");
        if architecture == Architecture::S390 {
            s390(key, value, &mut common, &mut entries).ok_or_else(fault)?;
            continue;
        }
        match (architecture, key) {
            (_, "processor") => {
                let processor = value.parse().map_err(|_| fault())?;
                entries.push(Entry {
                    processor,
                    ..common.clone()
                });
                continue;
            }
            (Architecture::Arm, "Processor") => value.clone_into(&mut common.model_name),
            // Old single-core kernels have no line `processor`.
            (Architecture::Arm, "BogoMIPS") if entries.is_empty() => entries.push(common.clone()),
            (Architecture::Arm, "Features") => {
                common.flags = words(value);
                for entry in &mut entries {
                    entry.flags.clone_from(&common.flags);
                }
            }
            (Architecture::Mips, "system type") => value.clone_into(&mut common.vendor),
            _ => {}
        }
        if let Some(entry) = entries.last_mut() {
            field(architecture, key, value, entry).ok_or_else(fault)?;
        }
    }
    if entries.is_empty() {
        return Err("no processor".to_owned());
    }
    Ok(entries)
}

/// Stores one line of an entry; `None` for a value that cannot be read.
fn field(architecture: Architecture, key: &str, value: &str, entry: &mut Entry) -> Option<()> {
    use Architecture::{Arm, PowerPc, RiscV, X86};
    let place = match (architecture, key) {
        (X86, "vendor" | "vendor_id") | (PowerPc, "cpu") => &mut entry.vendor,
        (X86, "cpu family") => &mut entry.family,
        (X86, "model") => &mut entry.model,
        (X86 | Arm, "model name") | (RiscV, "isa") => &mut entry.model_name,
        (X86, "stepping") => &mut entry.stepping,
        (X86, "microcode") => &mut entry.microcode,
        (X86, "cache size") => &mut entry.cache_size,
        (X86, "physical id") => &mut entry.package,
        (X86, "core id") | (RiscV, "hart") => &mut entry.core,
        (X86, "cpu MHz") | (PowerPc, "clock") => {
            entry.megahertz = value.trim_end_matches("MHz").parse().ok()?;
            return Some(());
        }
        (X86, "flags") => {
            entry.flags = words(value);
            return Some(());
        }
        (X86, "bugs") => {
            entry.bugs = words(value);
            return Some(());
        }
        _ => return Some(()),
    };
    value.clone_into(place);
    Some(())
}

/// s390 lists its processors first, in lines such as `processor 0: version = FF, …`, then tells more of each
/// after a line `cpu number`.
fn s390(key: &str, value: &str, common: &mut Entry, entries: &mut Vec<Entry>) -> Option<()> {
    if let Some(number) = key.strip_prefix("processor ") {
        let processor = number.trim().parse().ok()?;
        entries.push(Entry {
            processor,
            ..common.clone()
        });
        return Some(());
    }
    match key {
        "vendor_id" => value.clone_into(&mut common.vendor),
        "features" => common.flags = words(value),
        "cpu number" => {
            // What follows belongs to this processor: keep it last, where the other keys look for it.
            let number: u64 = value.parse().ok()?;
            let at = entries.iter().position(|entry| entry.processor == number)?;
            let entry = entries.remove(at);
            entries.push(entry);
        }
        "cpu MHz dynamic" => entries.last_mut()?.megahertz = value.parse().ok()?,
        "physical id" => value.clone_into(&mut entries.last_mut()?.package),
        "core id" => value.clone_into(&mut entries.last_mut()?.core),
        _ => {}
    }
    Some(())
}

fn words(value: &str) -> Vec<String> {
    value.split_ascii_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::never_panics;

    const X86: &str = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 142\nmodel name\t: Intel(R) i7\n\
        stepping\t: 10\nmicrocode\t: 0xb4\ncpu MHz\t\t: 799.998\ncache size\t: 8192 KB\nphysical id\t: 0\ncore id\t\t: 3\n\
        flags\t\t: fpu vme\nbugs\t\t: mds\npower management:\n\nprocessor\t: 1\n";
    const ARM: &str = "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd\n\nprocessor\t: 1\nBogoMIPS\t: 108.00\n\
        Features\t: fp asimd evtstrm\n";
    const S390: &str = "vendor_id       : IBM/S390\nfeatures        : esan3 zarch\nprocessor 0: version = FF,  identification = 1\n\
        processor 1: version = FF\n\ncpu number      : 0\ncpu MHz dynamic : 5000\nphysical id     : 2\ncore id         : 4\n\n\
        cpu number      : 1\ncpu MHz dynamic : 5208\n";

    #[test]
    fn x86() {
        let entries = parse(Architecture::X86, X86).unwrap();
        assert_eq!(entries.len(), 2);
        let first = &entries[0];
        assert_eq!(
            (&*first.vendor, &*first.family, &*first.model),
            ("GenuineIntel", "6", "142")
        );
        assert_eq!(
            (&*first.model_name, &*first.core, first.megahertz),
            ("Intel(R) i7", "3", 799.998)
        );
        assert_eq!((first.flags.len(), first.bugs.len()), (2, 1));
    }

    #[test]
    fn arm() {
        let entries = parse(Architecture::Arm, ARM).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].flags, entries[1].flags);
        let old = "Processor\t: ARM926EJ-S rev 5 (v5l)\nBogoMIPS\t: 233.47\nFeatures\t: swp half\n";
        let entries = parse(Architecture::Arm, old).unwrap();
        assert_eq!(
            (entries.len(), &*entries[0].model_name),
            (1, "ARM926EJ-S rev 5 (v5l)")
        );
        assert_eq!(entries[0].flags, ["swp", "half"]);
    }

    #[test]
    fn others() {
        let entries = parse(Architecture::S390, S390).unwrap();
        assert_eq!(
            (entries[0].processor, entries[0].megahertz, &*entries[0].package),
            (0, 5000.0, "2")
        );
        assert_eq!(
            (entries[1].processor, entries[1].megahertz, &*entries[1].vendor),
            (1, 5208.0, "IBM/S390")
        );
        let text = "processor\t: 0\ncpu\t\t: POWER8E\nclock\t\t: 3500.000000MHz\n";
        let entries = parse(Architecture::PowerPc, text).unwrap();
        assert_eq!((&*entries[0].vendor, entries[0].megahertz), ("POWER8E", 3500.0));
        let entries = parse(
            Architecture::RiscV,
            "processor\t: 0\nhart\t: 1\nisa\t: rv64imafdc\n",
        )
        .unwrap();
        assert_eq!((&*entries[0].core, &*entries[0].model_name), ("1", "rv64imafdc"));
        let entries = parse(Architecture::Mips, "system type\t: UBNT_E100\nprocessor\t: 0\n").unwrap();
        assert_eq!(entries[0].vendor, "UBNT_E100");
    }

    #[test]
    fn faults() {
        assert!(parse(Architecture::X86, "").is_err());
        assert!(parse(Architecture::X86, "processor : x\n").is_err());
        assert!(parse(Architecture::X86, "processor : 0\ncpu MHz : fast\n").is_err());
        for (architecture, sample) in [
            (Architecture::X86, X86),
            (Architecture::Arm, ARM),
            (Architecture::S390, S390),
        ] {
            never_panics(sample, |bytes| {
                parse(architecture, &String::from_utf8_lossy(bytes)).is_ok()
            });
        }
    }
}
