//! `cgroups`: control groups by controller, `/proc/cgroups` (cgroups(7)).

use std::path::PathBuf;

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "cgroups",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Control groups by controller.",
    sources: &["proc/cgroups"],
    families: &["node_cgroups_*"],
    options: &[],
    build: |context| Ok(Box::new(Cgroups::new(context))),
};

struct Cgroups {
    path: PathBuf,
}

impl Cgroups {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: context.roots.proc("cgroups"),
        }
    }
}

impl Collector for Cgroups {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let rows = parse(buffer.file(&self.path)?)
            .map_err(|line| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
        // Both have the same HELP in node_exporter.
        let help = "Current cgroup number of the subsystem.";
        for (name, cgroups, enabled) in rows {
            let labels = [("subsys_name", &*text::utf8(name))];
            emit::gauge(out, "node_cgroups_cgroups", help, &labels, cgroups as f64);
            emit::gauge(out, "node_cgroups_enabled", help, &labels, enabled as f64);
        }
        Ok(Outcome::Data)
    }
}

/// Name, number of groups and whether the controller is enabled.
type Row<'a> = (&'a [u8], u64, u64);

/// The rows below a heading that starts with `#`.
fn parse(content: &[u8]) -> Result<Vec<Row<'_>>, &[u8]> {
    text::lines(content)
        .filter(|line| !line.starts_with(b"#") && !line.is_empty())
        .map(|line| {
            let mut words = text::fields(line);
            let name = words.next().ok_or(line)?;
            let groups = words.nth(1).and_then(text::decimal).ok_or(line)?;
            let enabled = words.next().and_then(text::decimal).ok_or(line)?;
            Ok((name, groups, enabled))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t5\t47\t1\ncpu\t3\t172\t0\n";

    #[test]
    fn groups_by_controller() {
        let host = Host::new(&[("proc/cgroups", CONTENT)]);
        let expected = [
            "node_cgroups_cgroups{subsys_name=\"cpu\"} 172",
            "node_cgroups_cgroups{subsys_name=\"cpuset\"} 47",
            "node_cgroups_enabled{subsys_name=\"cpu\"} 0",
            "node_cgroups_enabled{subsys_name=\"cpuset\"} 1",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        assert!(parse(b"cpu 1 2\n").is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }
}
