//! `nfs`: what this host asked of NFS servers, `/proc/net/rpc/nfs` (net/sunrpc/stats.c).

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::rpc::{V2, V3, rows};
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "nfs",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Requests of the NFS client by version and method.",
    sources: &["proc/net/rpc/nfs"],
    families: &["node_nfs_*"],
    options: &[],
    build: |context| Ok(Box::new(Nfs::new(context))),
};

/// The client's methods of version 4 as `include/linux/nfs4.h` numbers them, under node_exporter's names.
static V4: &str = "Null Read Write Commit Open OpenConfirm OpenNoattr OpenDowngrade Close Setattr FsInfo Renew SetClientID SetClientIDConfirm Lock Lockt Locku Access Getattr Lookup LookupRoot Remove Rename Link Symlink Create Pathconf StatFs ReadLink ReadDir ServerCaps DelegReturn GetACL SetACL FsLocations ReleaseLockowner Secinfo FsidPresent ExchangeID CreateSession DestroySession Sequence GetLeaseTime ReclaimComplete GetDeviceInfo LayoutGet LayoutCommit LayoutReturn SecinfoNoName TestStateID FreeStateID GetDeviceList BindConnToSession DestroyClientID Seek Allocate DeAllocate LayoutStats Clone";

struct Nfs {
    path: KernelFile,
    compat: bool,
}

impl Nfs {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: KernelFile::new(context.roots.proc("net/rpc/nfs")),
            compat: context.mode.is_compat(),
        }
    }
}

impl Collector for Nfs {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let Some(content) = buffer.kept_optional(&self.path)? else {
            return Ok(Outcome::NoData);
        };
        let counts = parse(content, self.compat)
            .map_err(|line| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
        counts.emit(self.compat, out);
        Ok(Outcome::Data)
    }
}

/// Rows as the file has them; one that it lacks is 0.
#[derive(Default)]
struct Counts {
    net: [u64; 4],
    rpc: [u64; 3],
    methods: [Vec<u64>; 3],
}

/// With `compat`, a row that node_exporter does not know is an error.
fn parse(content: &[u8], compat: bool) -> Result<Counts, &[u8]> {
    let mut counts = Counts::default();
    for row in rows(content) {
        let (line, name, values) = row?;
        let (version, most) = match name {
            b"net" => {
                counts.net = values.try_into().map_err(|_| line)?;
                continue;
            }
            b"rpc" => {
                counts.rpc = values.try_into().map_err(|_| line)?;
                continue;
            }
            b"proc2" => (0, Some(V2.split(' ').count())),
            b"proc3" => (1, Some(V3.split(' ').count())),
            b"proc4" => (2, None),
            _ if compat => return Err(line),
            _ => continue,
        };
        let (count, methods) = values.split_first().ok_or(line)?;
        if *count != methods.len() as u64 || most.is_some_and(|most| most != methods.len()) {
            return Err(line);
        }
        counts.methods[version] = methods.to_vec();
    }
    Ok(counts)
}

impl Counts {
    fn emit(&self, compat: bool, out: &mut Families) {
        let [_, udp, tcp, connections] = self.net;
        let help = "Total NFSd network packets (sent+received) by protocol type.";
        for (protocol, packets) in [("udp", udp), ("tcp", tcp)] {
            emit::counter(
                out,
                "node_nfs_packets_total",
                help,
                &[("protocol", protocol)],
                packets as f64,
            );
        }
        let help = "Total number of NFSd TCP connections.";
        emit::counter(out, "node_nfs_connections_total", help, &[], connections as f64);
        let [calls, again, refreshes] = self.rpc;
        emit::counter(
            out,
            "node_nfs_rpcs_total",
            "Total number of RPCs performed.",
            &[],
            calls as f64,
        );
        let (name, help) = (
            "node_nfs_rpc_retransmissions_total",
            "Number of RPC transmissions performed.",
        );
        emit::counter(out, name, help, &[], again as f64);
        let (name, help) = (
            "node_nfs_rpc_authentication_refreshes_total",
            "Number of RPC authentication refreshes performed.",
        );
        emit::counter(out, name, help, &[], refreshes as f64);
        let help = "Number of NFS procedures invoked.";
        let mut family = out.family("node_nfs_requests_total", help, MetricKind::Counter);
        for (proto, names, counts) in [
            ("2", V2, &self.methods[0]),
            ("3", V3, &self.methods[1]),
            ("4", V4, &self.methods[2]),
        ] {
            for (at, method) in names.split(' ').enumerate() {
                // node_exporter has these two the wrong way round.
                let method = match method {
                    "GetDeviceInfo" if !compat => "LayoutGet",
                    "LayoutGet" if !compat => "GetDeviceInfo",
                    method => method,
                };
                let count = counts.get(at).copied().unwrap_or_default();
                family.sample(&[("method", method), ("proto", proto)], count as f64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "net 70 70 69 45\nrpc 1218785755 374636 1218815394\n\
        proc2 18 16 57 74 52 71 73 45 86 0 52 83 61 17 53 50 23 70 82\n\
        proc4 46 98 51 54 83 85 23 24 1 28 73 68 83 12 84 39 68 59 58 88 29 74 69 96 21 84 15 53 86 54 66 56 97 36 49 32 85 81 11 58 32 67 13 28 35 1 90\n";

    #[test]
    fn requests_by_method() {
        let host = Host::new(&[("proc/net/rpc/nfs", CONTENT)]);
        let fixed = host.samples(&DESCRIPTOR);
        assert_eq!(fixed.len(), 18 + 22 + 59 + 6);
        let compat = host.compat_samples(&DESCRIPTOR);
        let line = |method: &str, count: u32| {
            format!("node_nfs_requests_total{{method=\"{method}\",proto=\"4\"}} {count}")
        };
        assert!(fixed.contains(&line("LayoutGet", 1)) && fixed.contains(&line("GetDeviceInfo", 90)));
        assert!(compat.contains(&line("LayoutGet", 90)) && compat.contains(&line("GetDeviceInfo", 1)));
        assert!(parse(b"new 1 2\n", true).is_err() && parse(b"new 1 2\n", false).is_ok());
        assert!(parse(b"proc2 18 1\n", false).is_err());
        never_panics(CONTENT, |bytes| parse(bytes, false).is_ok());
    }
}
