//! node_exporter's command-line flags, for programs that stand in for it.

use crate::error::Error;
use crate::option::ValueKind;
use crate::set::{Builder, option_spec};

impl Builder {
    /// Applies node_exporter's flags for collectors and paths: `--path.procfs=…`, `--collector.cpu`,
    /// `--no-collector.cpu`, `--collector.disable-defaults`, `--collector.cpu.info`,
    /// `--collector.netdev.device-exclude=…` or with the value as the next argument. Any other argument is an error.
    pub fn args<S: AsRef<str>>(mut self, args: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let arg = arg.as_ref();
            let Some(flag) = arg.strip_prefix("--") else {
                return Err(Error::option(format!("unexpected argument {arg:?}")));
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (flag, None),
            };
            let mut next = || -> Result<String, Error> {
                match value {
                    Some(value) => Ok(value.to_owned()),
                    None => match args.next() {
                        Some(value) => Ok(value.as_ref().to_owned()),
                        None => Err(Error::option(format!("{arg} needs a value"))),
                    },
                }
            };
            match name {
                "path.procfs" => self.roots_mut().proc = next()?.into(),
                "path.sysfs" => self.roots_mut().sys = next()?.into(),
                "path.rootfs" => self.roots_mut().rootfs = next()?.into(),
                "path.udev.data" => self.roots_mut().udev = next()?.into(),
                "collector.disable-defaults" if value.is_none() => self = self.disable_defaults(),
                _ => {
                    let (name, on) = match name.strip_prefix("no-") {
                        Some(name) => (name, "false"),
                        None => (name, "true"),
                    };
                    let Some(name) = name.strip_prefix("collector.") else {
                        return Err(Error::option(format!("unknown flag {arg:?}")));
                    };
                    let is_switch = option_spec(name).is_none_or(|spec| spec.kind == ValueKind::Switch);
                    if !is_switch && on == "false" {
                        return Err(Error::option(format!("{arg}: {name} is not a switch")));
                    }
                    if name.contains('.') {
                        let value = if is_switch {
                            value.unwrap_or(on).to_owned()
                        } else {
                            next()?
                        };
                        self = self.set(name, &value)?;
                    } else if value.is_some() {
                        return Err(Error::option(format!("{arg}: a collector takes no value")));
                    } else if on == "true" {
                        self = self.enable(name);
                    } else {
                        self = self.disable(name);
                    }
                }
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeCollectors;

    fn build(args: &[&str]) -> Result<Vec<&'static str>, Error> {
        let set = NodeCollectors::builder().args(args)?.build()?;
        Ok(set
            .collectors()
            .iter()
            .map(|descriptor| descriptor.name)
            .collect())
    }

    #[test]
    fn collectors_by_flag() {
        let names = build(&[
            "--collector.disable-defaults",
            "--collector.loadavg",
            "--no-collector.meminfo",
        ])
        .unwrap();
        assert_eq!(names, ["loadavg"]);
        for bad in [
            &["--collector.loadavg=true"][..],
            &["--collector.loadavgs"],
            &["--collector.stat.softirqs"],
            &["--collector.stat.softirq=maybe"],
            &["--collector.vmstat.fields"],
            &["--no-collector.vmstat.fields"],
            &["--web.listen-address=:9100"],
            &["loadavg"],
        ] {
            assert!(build(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn options_and_paths_by_flag() {
        let builder = NodeCollectors::builder()
            .args([
                "--path.procfs",
                "/host/proc",
                "--collector.stat.softirq",
                "--collector.vmstat.fields=^pg",
            ])
            .unwrap();
        let mut expected = crate::Options::default();
        expected.stat.softirq = true;
        "^pg".clone_into(&mut expected.vmstat.fields);
        let roots = crate::Roots {
            proc: "/host/proc".into(),
            ..crate::Roots::default()
        };
        assert_eq!(builder, NodeCollectors::builder().options(expected).roots(roots));
    }
}
