//! `nfsd`: what the NFS server of this host did, `/proc/net/rpc/nfsd` (fs/nfsd/stats.c).

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::rpc;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "nfsd",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Requests to the NFS server by version and method, its threads and caches.",
    sources: &["proc/net/rpc/nfsd"],
    families: &["node_nfsd_*"],
    options: &[],
    build: |context| Ok(Box::new(Nfsd::new(context))),
};

/// The server's operations of version 4 from the fourth on, as RFC 7530 numbers them, under node_exporter's names.
static V4: &str = "Access Close Commit Create DelegPurge DelegReturn GetAttr GetFH Link Lock Lockt Locku Lookup LookupRoot Nverify Open OpenAttr OpenConfirm OpenDgrd PutFH PutPubFH PutRootFH Read ReadDir ReadLink Remove Rename Renew RestoreFH SaveFH SecInfo SetAttr SetClientID SetClientIDConfirm Verify Write RelLockOwner";
/// Operations node_exporter does not give.
static NOT_GIVEN: [&str; 2] = ["PutPubFH", "PutRootFH"];

struct Nfsd {
    path: KernelFile,
    compat: bool,
}

impl Nfsd {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: KernelFile::new(context.roots.proc("net/rpc/nfsd")),
            compat: context.mode.is_compat(),
        }
    }
}

impl Collector for Nfsd {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let Some(content) = buffer.kept_optional(&self.path)? else {
            return Ok(Outcome::NoData);
        };
        let counts = parse(content, self.compat)
            .map_err(|line| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
        counts.emit(out);
        Ok(Outcome::Data)
    }
}

/// Rows as the file has them; one that it lacks is 0.
#[derive(Default)]
struct Counts {
    reply_cache: [u64; 3],
    file_handles: [u64; 5],
    bytes: [u64; 2],
    threads: u64,
    read_ahead: [u64; 12],
    net: [u64; 4],
    rpc: [u64; 5],
    methods: [Vec<u64>; 2],
    operations: Vec<u64>,
    delegations: u64,
}

/// With `compat`, a row that node_exporter does not know is an error.
fn parse(content: &[u8], compat: bool) -> Result<Counts, &[u8]> {
    let mut counts = Counts::default();
    for row in rpc::rows(content) {
        let (line, name, values) = row?;
        let mut version = |at: usize, names: &str| {
            let (count, methods) = values.split_first().ok_or(line)?;
            if *count != methods.len() as u64 || methods.len() != names.split(' ').count() {
                return Err(line);
            }
            counts.methods[at] = methods.to_vec();
            Ok(())
        };
        match name {
            b"rc" => counts.reply_cache = values.try_into().map_err(|_| line)?,
            b"fh" => counts.file_handles = values.try_into().map_err(|_| line)?,
            b"io" => counts.bytes = values.try_into().map_err(|_| line)?,
            b"th" => counts.threads = *values.first().ok_or(line)?,
            b"ra" => counts.read_ahead = values.try_into().map_err(|_| line)?,
            b"net" => counts.net = values.try_into().map_err(|_| line)?,
            b"rpc" => counts.rpc = values.try_into().map_err(|_| line)?,
            b"proc2" => version(0, rpc::V2)?,
            b"proc3" => version(1, rpc::V3)?,
            // Calls as such and the null call; what they ask for is in the next row.
            b"proc4" if values.len() == 3 => {}
            b"proc4ops" => {
                let (count, operations) = values.split_first().ok_or(line)?;
                if *count != operations.len() as u64 || operations.len() < 39 {
                    return Err(line);
                }
                counts.operations = operations.to_vec();
            }
            b"wdeleg_getattr" => counts.delegations = *values.first().ok_or(line)?,
            b"proc4" => return Err(line),
            _ if compat => return Err(line),
            _ => {}
        }
    }
    Ok(counts)
}

impl Counts {
    fn emit(&self, out: &mut Families) {
        let [hits, misses, not_cached] = self.reply_cache;
        let [read, written] = self.bytes;
        let [_, udp, tcp, connections] = self.net;
        let [calls, _, format, authentication, client] = self.rpc;
        for (name, help, value) in [
            (
                "node_nfsd_reply_cache_hits_total",
                "Total number of NFSd Reply Cache hits (client lost server response).",
                hits,
            ),
            (
                "node_nfsd_reply_cache_misses_total",
                "Total number of NFSd Reply Cache an operation that requires caching (idempotent).",
                misses,
            ),
            (
                "node_nfsd_reply_cache_nocache_total",
                "Total number of NFSd Reply Cache non-idempotent operations (rename/delete/…).",
                not_cached,
            ),
            (
                "node_nfsd_file_handles_stale_total",
                "Total number of NFSd stale file handles",
                self.file_handles[0],
            ),
            ("node_nfsd_disk_bytes_read_total", "Total NFSd bytes read.", read),
            (
                "node_nfsd_disk_bytes_written_total",
                "Total NFSd bytes written.",
                written,
            ),
            (
                "node_nfsd_read_ahead_cache_not_found_total",
                "Total number of NFSd read ahead cache not found.",
                self.read_ahead[11],
            ),
            (
                "node_nfsd_connections_total",
                "Total number of NFSd TCP connections.",
                connections,
            ),
            ("node_nfsd_server_rpcs_total", "Total number of NFSd RPCs.", calls),
        ] {
            emit::counter(out, name, help, &[], value as f64);
        }
        emit::gauge(
            out,
            "node_nfsd_server_threads",
            "Total number of NFSd kernel threads that are running.",
            &[],
            self.threads as f64,
        );
        let (name, help) = (
            "node_nfsd_read_ahead_cache_size_blocks",
            "How large the read ahead cache is in blocks.",
        );
        emit::gauge(out, name, help, &[], self.read_ahead[0] as f64);
        for (proto, packets) in [("udp", udp), ("tcp", tcp)] {
            let help = "Total NFSd network packets (sent+received) by protocol type.";
            emit::counter(
                out,
                "node_nfsd_packets_total",
                help,
                &[("proto", proto)],
                packets as f64,
            );
        }
        for (error, count) in [("fmt", format), ("auth", authentication), ("cInt", client)] {
            let help = "Total number of NFSd RPC errors by error type.";
            emit::counter(
                out,
                "node_nfsd_rpc_errors_total",
                help,
                &[("error", error)],
                count as f64,
            );
        }
        let help = "Total number NFSd Requests by method and protocol.";
        let mut family = out.family("node_nfsd_requests_total", help, MetricKind::Counter);
        let mut methods = |proto, names: &'static str, from: usize, counts: &[u64]| {
            for (at, method) in names.split(' ').enumerate() {
                // The null call is not given either.
                if method != "Null" && !NOT_GIVEN.contains(&method) {
                    let count = counts.get(at + from).copied().unwrap_or_default();
                    family.sample(&[("method", method), ("proto", proto)], count as f64);
                }
            }
        };
        methods("2", rpc::V2, 0, &self.methods[0]);
        methods("3", rpc::V3, 0, &self.methods[1]);
        methods("4", V4, 3, &self.operations);
        methods("4", "WdelegGetattr", 0, &[self.delegations]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "rc 0 6 18622\nfh 7 0 0 0 0\nio 157286400 72864\nth 8 0 0.000 0.000\nra 32 0 0 0 0 0 0 0 0 0 0 9\n\
        net 972 55 917 1\nrpc 18628 3 1 2 0\nproc3 22 2 112 0 2719 111 0 0 0 0 0 0 0 0 0 0 0 27 216 0 2 1 0\nproc4 2 2 10853\n\
        proc4ops 40 0 0 0 1098 2 0 0 0 0 8179 5896 0 0 0 0 5900 0 0 2 0 2 0 9609 0 2 150 1272 0 0 0 1236 0 0 0 0 3 3 0 0 0\nwdeleg_getattr 15\n";

    #[test]
    fn requests_by_method() {
        let host = Host::new(&[("proc/net/rpc/nfsd", CONTENT)]);
        let samples = host.samples(&DESCRIPTOR);
        assert_eq!(samples.len(), 9 + 2 + 2 + 3 + 17 + 21 + 35 + 1);
        for expected in [
            "node_nfsd_requests_total{method=\"Access\",proto=\"4\"} 1098",
            "node_nfsd_requests_total{method=\"WdelegGetattr\",proto=\"4\"} 15",
            "node_nfsd_requests_total{method=\"Read\",proto=\"4\"} 150",
            "node_nfsd_rpc_errors_total{error=\"auth\"} 2",
            "node_nfsd_read_ahead_cache_not_found_total 9",
            "node_nfsd_server_threads 8",
        ] {
            assert!(
                samples.iter().any(|sample| sample == expected),
                "{expected}: {samples:#?}"
            );
        }
        assert!(parse(b"new 1\n", true).is_err() && parse(b"new 1\n", false).is_ok());
        assert!(parse(b"proc4ops 3 1 2 3\n", false).is_err());
        never_panics(CONTENT, |bytes| parse(bytes, false).is_ok());
    }
}
