//! `interrupts`: interrupts by CPU and source, `/proc/interrupts` (proc(5)).

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::filter::Filter;
use crate::kernel_file::KernelFile;
use crate::option::options;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "interrupts",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Interrupts by CPU and source.",
    sources: &["proc/interrupts"],
    families: &["node_interrupts_total"],
    options: options! {
        "interrupts.name-include" = interrupts.name_include: String, "Interrupts `type;info;devices` to give (expression).";
        "interrupts.name-exclude" = interrupts.name_exclude: String, "Interrupts `type;info;devices` to leave out (expression).";
        "interrupts.include-zeros" = interrupts.include_zeros: bool, "Gives counters that are 0.";
    },
    build: |context| Ok(Box::new(Interrupts::new(context)?)),
};

/// Options of `interrupts`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression for interrupts, written `type;info;devices`, to give.
    pub name_include: String,
    /// Expression for interrupts to leave out; applies beside the include.
    pub name_exclude: String,
    /// Gives counters that are 0.
    pub include_zeros: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name_include: String::new(),
            name_exclude: String::new(),
            include_zeros: true,
        }
    }
}

struct Interrupts {
    path: KernelFile,
    filter: Filter,
    include_zeros: bool,
}

impl Interrupts {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let options = &context.options.interrupts;
        Ok(Self {
            path: KernelFile::new(context.roots.proc("interrupts")),
            filter: Filter::new(
                ("interrupts.name-include", &options.name_include),
                ("interrupts.name-exclude", &options.name_exclude),
            )?,
            include_zeros: options.include_zeros,
        })
    }
}

impl Collector for Interrupts {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let rows = parse(buffer.kept(&self.path)?)
            .map_err(|line| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
        let mut family = out.family("node_interrupts_total", "Interrupt details.", MetricKind::Counter);
        for row in &rows {
            let (name, info) = (text::utf8(row.name), text::utf8(row.info));
            if !self.filter.keeps(&format!("{name};{info};{}", row.devices)) {
                continue;
            }
            for (cpu, count) in row.counts.iter().enumerate() {
                if *count == 0 && !self.include_zeros {
                    continue;
                }
                let cpu = text::Decimal::new(cpu as u64);
                let labels = [
                    ("cpu", cpu.as_str()),
                    ("devices", &*row.devices),
                    ("info", &*info),
                    ("type", &*name),
                ];
                family.sample(&labels, *count as f64);
            }
        }
        Ok(Outcome::Data)
    }
}

struct Row<'a> {
    name: &'a [u8],
    info: &'a [u8],
    devices: String,
    counts: Vec<u64>,
}

/// A heading with a word for each CPU, then `name: counts… rest`. Rows without a count for each CPU and a rest, such as
/// `ERR`, are skipped.
fn parse(content: &[u8]) -> Result<Vec<Row<'_>>, &[u8]> {
    let mut lines = text::lines(content);
    let cpus = text::fields(lines.next().ok_or(content)?).count();
    let mut rows = Vec::new();
    for line in lines {
        let Some((name, rest)) = text::split_once(line, b':') else {
            continue;
        };
        let mut words = text::fields(rest);
        if words.clone().count() <= cpus {
            continue;
        }
        let counts = words
            .by_ref()
            .take(cpus)
            .map(text::decimal)
            .collect::<Option<Vec<_>>>()
            .ok_or(line)?;
        let (info, devices) = if text::decimal(name).is_some() {
            let info = words.next().unwrap_or_default();
            let devices: Vec<_> = words.map(text::utf8).collect();
            (info, devices.join(" "))
        } else {
            let from = words.next().map_or(rest.len(), |word| {
                word.as_ptr().addr().saturating_sub(rest.as_ptr().addr())
            });
            (rest.get(from..).unwrap_or_default(), String::new())
        };
        rows.push(Row {
            name,
            info,
            devices,
            counts,
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics, samples};

    const CONTENT: &str = "           CPU0       CPU1       \n  16:     328511     0  IR-IO-APIC-fasteoi   ehci_hcd:usb1, mmc0\n\
        NMI:         47       5031   Non-maskable interrupts\nERR:          0\n";

    #[test]
    fn by_cpu_and_source() {
        let host = Host::new(&[("proc/interrupts", CONTENT)]);
        let expected = [
            "node_interrupts_total{cpu=\"0\",devices=\"\",info=\"Non-maskable interrupts\",type=\"NMI\"} 47",
            "node_interrupts_total{cpu=\"0\",devices=\"ehci_hcd:usb1, mmc0\",info=\"IR-IO-APIC-fasteoi\",type=\"16\"} 328511",
            "node_interrupts_total{cpu=\"1\",devices=\"\",info=\"Non-maskable interrupts\",type=\"NMI\"} 5031",
            "node_interrupts_total{cpu=\"1\",devices=\"ehci_hcd:usb1, mmc0\",info=\"IR-IO-APIC-fasteoi\",type=\"16\"} 0",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        let collector = host
            .collector(&DESCRIPTOR, |options| {
                options.interrupts.include_zeros = false;
                "^16;.*;ehci".clone_into(&mut options.interrupts.name_include);
            })
            .unwrap();
        assert_eq!(samples(collector.as_ref()), [expected[1]]);
        assert!(parse(b"CPU0\n1: x timer\n").is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }
}
