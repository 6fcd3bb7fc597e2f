//! `sockstat`: sockets in use by protocol, `/proc/net/sockstat` and `sockstat6`.

use ferroalloy_model::{Families, MetricKind};
use nix::unistd::{SysconfVar, sysconf};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "sockstat",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Sockets in use, by protocol and state.",
    sources: &["proc/net/sockstat", "proc/net/sockstat6"],
    families: &["node_sockstat_*"],
    options: &[],
    build: |context| Ok(Box::new(SockStat::new(context)?)),
};

struct SockStat {
    files: [KernelFile; 2],
    page_size: f64,
}

impl SockStat {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let page_size = sysconf(SysconfVar::PAGE_SIZE).map_err(|error| Error::system("sysconf", error))?;
        Ok(Self {
            files: ["net/sockstat", "net/sockstat6"].map(|path| KernelFile::new(context.roots.proc(path))),
            page_size: page_size.unwrap_or(4096) as f64,
        })
    }
}

/// The states that are given, in this order.
const STATES: [&str; 6] = ["inuse", "orphan", "tw", "alloc", "mem", "memory"];

/// A protocol's row.
#[derive(Debug, PartialEq)]
struct Row<'a> {
    protocol: &'a str,
    states: [Option<f64>; STATES.len()],
    /// Only the row `sockets` has it.
    used: Option<f64>,
}

/// `TCP: inuse 4 orphan 0 …`
fn parse_line(line: &[u8]) -> Option<Row<'_>> {
    let mut words = text::fields(line);
    let protocol = std::str::from_utf8(words.next()?.strip_suffix(b":")?).ok()?;
    let mut row = Row {
        protocol,
        states: [None; STATES.len()],
        used: None,
    };
    while let Some(key) = words.next() {
        let value = text::auto_base(words.next()?)? as f64;
        if key == b"used" {
            row.used = Some(value);
        } else if let Some(at) = STATES.iter().position(|state| state.as_bytes() == key) {
            row.states[at] = Some(value);
        }
    }
    Some(row)
}

impl Collector for SockStat {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        for path in &self.files {
            let Some(content) = buffer.kept_optional(path)? else {
                continue;
            };
            for line in text::lines(content) {
                let row = parse_line(line)
                    .ok_or_else(|| Error::parse(path, format_args!("bad line {:?}", text::utf8(line))))?;
                self.emit(&row, out);
            }
        }
        Ok(Outcome::Data)
    }
}

impl SockStat {
    fn emit(&self, row: &Row<'_>, out: &mut Families) {
        if row.protocol == "sockets" {
            let help = "Number of IPv4 sockets in use.";
            out.single(
                "node_sockstat_sockets_used",
                help,
                MetricKind::Gauge,
                row.used.unwrap_or_default(),
            );
            return;
        }
        let protocol = row.protocol;
        let part = text::metric_name(protocol);
        let mut single = |state: &str, value: f64| {
            let name = format!("node_sockstat_{part}_{state}");
            let help = format!("Number of {protocol} sockets in state {state}.");
            out.single(&name, &help, MetricKind::Gauge, value);
        };
        for (state, value) in STATES.iter().zip(row.states) {
            match value {
                Some(pages) if *state == "mem" => {
                    single("mem", pages);
                    single("mem_bytes", pages * self.page_size);
                }
                Some(value) => single(state, value),
                None if *state == "inuse" => single(state, 0.0),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "sockets: used 229\nTCP: inuse 4 orphan 0 tw 4 alloc 17 mem 2\nFRAG: memory 0\n";

    #[test]
    fn rows() {
        let host = Host::new(&[("proc/net/sockstat", CONTENT)]);
        let page = sysconf(SysconfVar::PAGE_SIZE).unwrap().unwrap();
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_sockstat_FRAG_inuse 0".to_owned(),
                "node_sockstat_FRAG_memory 0".to_owned(),
                "node_sockstat_TCP_alloc 17".to_owned(),
                "node_sockstat_TCP_inuse 4".to_owned(),
                "node_sockstat_TCP_mem 2".to_owned(),
                format!("node_sockstat_TCP_mem_bytes {}", 2 * page),
                "node_sockstat_TCP_orphan 0".to_owned(),
                "node_sockstat_TCP_tw 4".to_owned(),
                "node_sockstat_sockets_used 229".to_owned(),
            ]
        );
        assert_eq!(parse_line(b"TCP: inuse"), None);
        assert_eq!(parse_line(b"TCP inuse 1"), None);
        never_panics(CONTENT, |bytes| text::lines(bytes).filter_map(parse_line).count());
    }

    #[test]
    fn a_protocol_that_is_no_name() {
        let host = Host::new(&[("proc/net/sockstat", "U,{DP: inuse 4\n")]);
        assert_eq!(host.samples(&DESCRIPTOR), ["node_sockstat_U_DP_inuse 4"]);
    }
}
