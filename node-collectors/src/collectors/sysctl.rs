//! `sysctl`: kernel parameters of the user's choice, `/proc/sys` (Documentation/admin-guide/sysctl).

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::option::options;
use crate::sysfs::Sysfs;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "sysctl",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Kernel parameters of the user's choice.",
    sources: &["proc/sys/*"],
    families: &["node_sysctl_*"],
    options: options! {
        "sysctl.include" = sysctl.include: Vec<String>, "Parameter with numbers to give, `name` or `name:column,column`; may be given more than once.";
        "sysctl.include-info" = sysctl.include_info: Vec<String>, "Parameter with words to give; may be given more than once.";
    },
    build: |context| Ok(Box::new(Sysctl::new(context)?)),
};

/// Options of `sysctl`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Parameters with numbers: `fs.file-nr`, or with names for its columns `fs.file-nr:total,current,max`.
    pub include: Vec<String>,
    /// Parameters with words.
    pub include_info: Vec<String>,
}

struct Sysctl {
    numbers: Vec<Parameter>,
    words: Vec<Parameter>,
    sysfs: Sysfs,
}

/// A parameter to give.
struct Parameter {
    /// With dots.
    name: String,
    path: PathBuf,
    columns: Vec<String>,
}

impl Parameter {
    fn new(context: &Context<'_>, given: &str) -> Self {
        let (name, columns) = given.split_once(':').unwrap_or((given, ""));
        Self {
            name: name.to_owned(),
            path: context.roots.proc("sys").join(name.replace('.', "/")),
            columns: columns
                .split(',')
                .filter(|column| !column.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }
}

impl Sysctl {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let options = &context.options.sysctl;
        for given in options.include.iter().chain(&options.include_info) {
            // Dots become slashes, so nothing leads upwards; a leading one would lead to the root.
            if given.is_empty() || given.starts_with(['.', '/']) {
                return Err(Error::option(format!("sysctl.include: bad name {given:?}")));
            }
        }
        if let Some(given) = options.include_info.iter().find(|given| given.contains(':')) {
            return Err(Error::option(format!(
                "sysctl.include-info: {given:?} names columns, which words have not"
            )));
        }
        let parameters =
            |given: &[String]| given.iter().map(|given| Parameter::new(context, given)).collect();
        Ok(Self {
            numbers: parameters(&options.include),
            words: parameters(&options.include_info),
            sysfs: context.sysfs(),
        })
    }
}

impl Collector for Sysctl {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        for parameter in &self.numbers {
            let values = self.sysfs.parsed(&parameter.path, numbers);
            let values = values.and_then(|values| {
                if parameter.columns.is_empty() || parameter.columns.len() == values.len() {
                    Ok(values)
                } else {
                    let (given, found) = (parameter.columns.len(), values.len());
                    Err(Error::parse(
                        &parameter.path,
                        format_args!("{found} columns, but {given} names"),
                    ))
                }
            });
            if let Some(values) = self.sysfs.lenient(values)? {
                parameter.emit(&values, out);
            }
        }
        for Parameter { name, path, .. } in &self.words {
            let Some(content) = self.sysfs.lenient(self.sysfs.text(path))? else {
                continue;
            };
            for (index, value) in content.split_ascii_whitespace().enumerate() {
                let index = text::Decimal::new(index as u64);
                let labels = [("index", index.as_str()), ("name", &**name), ("value", value)];
                emit::gauge(out, "node_sysctl_info", "sysctl info", &labels, 1.0);
            }
        }
        Ok(Outcome::Data)
    }
}

impl Parameter {
    fn emit(&self, values: &[f64], out: &mut Families) {
        let name = format!("node_sysctl_{}", text::metric_name(&self.name));
        let help = format!("sysctl {}", self.name);
        for (index, value) in values.iter().enumerate() {
            if let Some(column) = self.columns.get(index) {
                let name = format!("{name}_{}", text::metric_name(column));
                let help = format!("{help}, field {index}");
                out.family(&name, &help, MetricKind::Unknown).sample(&[], *value);
            } else if values.len() == 1 {
                out.family(&name, &help, MetricKind::Unknown).sample(&[], *value);
            } else {
                let index = text::Decimal::new(index as u64);
                out.family(&name, &help, MetricKind::Unknown)
                    .sample(&[("index", index.as_str())], *value);
            }
        }
    }
}

/// Whole numbers, at least one.
fn numbers(content: &[u8]) -> Option<Vec<f64>> {
    let values = text::fields(content)
        .map(|word| text::auto_base(word).map(|value| value as f64))
        .collect::<Option<Vec<_>>>()?;
    (!values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mode::Mode;
    use crate::testing::{Host, never_panics, samples};

    #[test]
    fn numbers_and_words() {
        let host = Host::new(&[
            ("proc/sys/fs/file-nr", "1024\t0\t1631329\n"),
            ("proc/sys/kernel/threads-max", "7801\n"),
            ("proc/sys/kernel/seccomp/actions_avail", "kill log\n"),
        ]);
        let include = [
            "fs.file-nr",
            "fs.file-nr:total,current,max",
            "kernel.threads-max",
            "kernel.absent",
        ];
        let collector = |mode| {
            host.collector_as(mode, &DESCRIPTOR, |options| {
                options.sysctl.include = include.map(str::to_owned).to_vec();
                options.sysctl.include_info = vec!["kernel.seccomp.actions_avail".to_owned()];
            })
            .unwrap()
        };
        let expected = [
            "node_sysctl_fs_file_nr{index=\"0\"} 1024",
            "node_sysctl_fs_file_nr{index=\"1\"} 0",
            "node_sysctl_fs_file_nr{index=\"2\"} 1.631329e+06",
            "node_sysctl_fs_file_nr_current 0",
            "node_sysctl_fs_file_nr_max 1.631329e+06",
            "node_sysctl_fs_file_nr_total 1024",
            "node_sysctl_info{index=\"0\",name=\"kernel.seccomp.actions_avail\",value=\"kill\"} 1",
            "node_sysctl_info{index=\"1\",name=\"kernel.seccomp.actions_avail\",value=\"log\"} 1",
            "node_sysctl_kernel_threads_max 7801",
        ];
        assert_eq!(samples(collector(Mode::Fixed).as_ref()), expected);
        assert!(collector(Mode::Compat).update(&mut Families::new()).is_err());
        never_panics("1 2 0x3\n", numbers);
    }

    #[test]
    fn names_stay_below_the_folder() {
        let host = Host::new(&[]);
        for bad in ["", "/etc/passwd", ".etc.passwd"] {
            let built = host.collector(&DESCRIPTOR, |options| {
                options.sysctl.include = vec![bad.to_owned()];
            });
            assert!(built.is_err(), "{bad}");
        }
    }
}
