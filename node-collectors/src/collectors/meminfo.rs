//! `meminfo`: how memory is used.
//!
//! Linux: the lines of `/proc/meminfo` (proc_meminfo(5)) that node_exporter knows; kilobytes become bytes. Keys
//! the file lacks are left out, keys not in the list are not exported.

mod macos;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Platform, Support};
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::sys::Kernel;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "meminfo",
    linux: Support::On,
    macos: Support::On,
    summary: "Memory statistics.",
    sources: &[
        "proc/meminfo",
        "host_statistics64",
        "sysctl hw.memsize, vm.swapusage",
    ],
    families: &["node_memory_*"],
    options: &[],
    build: |context| {
        Ok(match context.platform {
            Platform::MacOs => Box::new(macos::MemInfo::new(Kernel)),
            Platform::Linux => Box::new(MemInfo::new(context)),
        })
    },
};

/// A key of the file, with the family's name and HELP.
struct Field {
    key: &'static str,
    name: &'static str,
    help: &'static str,
}

macro_rules! fields {
    ($($key:literal $name:literal,)*) => {
        &[$(Field {
            key: $key,
            name: concat!("node_memory_", $name),
            help: concat!("Memory information field ", $name, "."),
        },)*]
    };
}

/// Sorted by key.
static FIELDS: &[Field] = fields! {
    "Active" "Active_bytes",
    "Active(anon)" "Active_anon_bytes",
    "Active(file)" "Active_file_bytes",
    "AnonHugePages" "AnonHugePages_bytes",
    "AnonPages" "AnonPages_bytes",
    "Bounce" "Bounce_bytes",
    "Buffers" "Buffers_bytes",
    "Cached" "Cached_bytes",
    "CmaFree" "CmaFree_bytes",
    "CmaTotal" "CmaTotal_bytes",
    "CommitLimit" "CommitLimit_bytes",
    "Committed_AS" "Committed_AS_bytes",
    "DirectMap1G" "DirectMap1G_bytes",
    "DirectMap2M" "DirectMap2M_bytes",
    "DirectMap4k" "DirectMap4k_bytes",
    "Dirty" "Dirty_bytes",
    "HardwareCorrupted" "HardwareCorrupted_bytes",
    "HugePages_Free" "HugePages_Free",
    "HugePages_Rsvd" "HugePages_Rsvd",
    "HugePages_Surp" "HugePages_Surp",
    "HugePages_Total" "HugePages_Total",
    "Hugepagesize" "Hugepagesize_bytes",
    "Inactive" "Inactive_bytes",
    "Inactive(anon)" "Inactive_anon_bytes",
    "Inactive(file)" "Inactive_file_bytes",
    "KernelStack" "KernelStack_bytes",
    "Mapped" "Mapped_bytes",
    "MemAvailable" "MemAvailable_bytes",
    "MemFree" "MemFree_bytes",
    "MemTotal" "MemTotal_bytes",
    "Mlocked" "Mlocked_bytes",
    "NFS_Unstable" "NFS_Unstable_bytes",
    "PageTables" "PageTables_bytes",
    "Percpu" "Percpu_bytes",
    "SReclaimable" "SReclaimable_bytes",
    "SUnreclaim" "SUnreclaim_bytes",
    "Shmem" "Shmem_bytes",
    "ShmemHugePages" "ShmemHugePages_bytes",
    "ShmemPmdMapped" "ShmemPmdMapped_bytes",
    "Slab" "Slab_bytes",
    "SwapCached" "SwapCached_bytes",
    "SwapFree" "SwapFree_bytes",
    "SwapTotal" "SwapTotal_bytes",
    "Unevictable" "Unevictable_bytes",
    "VmallocChunk" "VmallocChunk_bytes",
    "VmallocTotal" "VmallocTotal_bytes",
    "VmallocUsed" "VmallocUsed_bytes",
    "Writeback" "Writeback_bytes",
    "WritebackTmp" "WritebackTmp_bytes",
    "Zswap" "Zswap_bytes",
    "Zswapped" "Zswapped_bytes",
};

struct MemInfo {
    path: KernelFile,
}

impl MemInfo {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: KernelFile::new(context.roots.proc("meminfo")),
        }
    }
}

impl Collector for MemInfo {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let content = buffer.kept(&self.path)?;
        for line in text::lines(content).filter(|line| !line.is_empty()) {
            let (key, value) = parse_line(line)
                .ok_or_else(|| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
            if let Ok(at) = FIELDS.binary_search_by(|field| field.key.as_bytes().cmp(key)) {
                out.single(FIELDS[at].name, FIELDS[at].help, MetricKind::Gauge, value as f64);
            }
        }
        Ok(Outcome::Data)
    }
}

/// `Key: number [kB]`, the number in bytes if it has a unit.
fn parse_line(line: &[u8]) -> Option<(&[u8], u64)> {
    let (key, rest) = text::split_once(line, b':')?;
    let mut words = text::fields(rest);
    let value = text::decimal(words.next()?)?;
    match words.next() {
        None => Some((key, value)),
        Some(b"kB") => Some((key, value.checked_mul(1024)?)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    #[test]
    fn linux() {
        assert!(FIELDS.is_sorted_by_key(|field| field.key));
        let content = "MemTotal:        3742148 kB\nActive(anon):    2020004 kB\nKReclaimable: 1 kB\nHugePages_Total:       7\n";
        let host = Host::new(&[("proc/meminfo", content)]);
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_memory_Active_anon_bytes 2.068484096e+09",
                "node_memory_HugePages_Total 7",
                "node_memory_MemTotal_bytes 3.831959552e+09"
            ]
        );
        never_panics(content, |bytes| text::lines(bytes).filter_map(parse_line).count());
    }
}
