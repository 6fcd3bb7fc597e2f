//! `zoneinfo`: pages by memory zone, `/proc/zoneinfo` (proc(5), mm/vmstat.c).

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "zoneinfo",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Pages of each memory zone, by state.",
    sources: &["proc/zoneinfo"],
    families: &["node_zoneinfo_*"],
    options: &[],
    build: |context| Ok(Box::new(ZoneInfo::new(context))),
};

/// Key of the file, family, HELP.
static FIELDS: [(&str, &str, &str); 33] = [
    ("high", "node_zoneinfo_high_pages", "Zone watermark pages_high"),
    ("low", "node_zoneinfo_low_pages", "Zone watermark pages_low"),
    (
        "managed",
        "node_zoneinfo_managed_pages",
        "Present pages managed by the buddy system",
    ),
    ("min", "node_zoneinfo_min_pages", "Zone watermark pages_min"),
    (
        "nr_active_anon",
        "node_zoneinfo_nr_active_anon_pages",
        "Number of anonymous pages recently more used",
    ),
    (
        "nr_active_file",
        "node_zoneinfo_nr_active_file_pages",
        "Number of active pages with file-backing",
    ),
    (
        "nr_anon_pages",
        "node_zoneinfo_nr_anon_pages",
        "Number of anonymous pages currently used by the system",
    ),
    (
        "nr_anon_transparent_hugepages",
        "node_zoneinfo_nr_anon_transparent_hugepages",
        "Number of anonymous transparent huge pages currently used by the system",
    ),
    (
        "nr_dirtied",
        "node_zoneinfo_nr_dirtied_total",
        "Page dirtyings since bootup",
    ),
    (
        "nr_dirty",
        "node_zoneinfo_nr_dirty_pages",
        "Number of dirty pages",
    ),
    (
        "nr_file_pages",
        "node_zoneinfo_nr_file_pages",
        "Number of file pages",
    ),
    (
        "nr_free_pages",
        "node_zoneinfo_nr_free_pages",
        "Total number of free pages in the zone",
    ),
    (
        "nr_inactive_anon",
        "node_zoneinfo_nr_inactive_anon_pages",
        "Number of anonymous pages recently less used",
    ),
    (
        "nr_inactive_file",
        "node_zoneinfo_nr_inactive_file_pages",
        "Number of inactive pages with file-backing",
    ),
    (
        "nr_isolated_anon",
        "node_zoneinfo_nr_isolated_anon_pages",
        "Temporary isolated pages from anon lru",
    ),
    (
        "nr_isolated_file",
        "node_zoneinfo_nr_isolated_file_pages",
        "Temporary isolated pages from file lru",
    ),
    (
        "nr_kernel_stack",
        "node_zoneinfo_nr_kernel_stacks",
        "Number of kernel stacks",
    ),
    (
        "nr_mapped",
        "node_zoneinfo_nr_mapped_pages",
        "Number of mapped pages",
    ),
    (
        "nr_shmem",
        "node_zoneinfo_nr_shmem_pages",
        "Number of shmem pages (included tmpfs/GEM pages)",
    ),
    (
        "nr_slab_reclaimable",
        "node_zoneinfo_nr_slab_reclaimable_pages",
        "Number of reclaimable slab pages",
    ),
    (
        "nr_slab_unreclaimable",
        "node_zoneinfo_nr_slab_unreclaimable_pages",
        "Number of unreclaimable slab pages",
    ),
    (
        "nr_unevictable",
        "node_zoneinfo_nr_unevictable_pages",
        "Number of unevictable pages",
    ),
    (
        "nr_writeback",
        "node_zoneinfo_nr_writeback_pages",
        "Number of writeback pages",
    ),
    (
        "nr_written",
        "node_zoneinfo_nr_written_total",
        "Page writings since bootup",
    ),
    (
        "numa_foreign",
        "node_zoneinfo_numa_foreign_total",
        "Was intended here, hit elsewhere",
    ),
    (
        "numa_hit",
        "node_zoneinfo_numa_hit_total",
        "Allocated in intended node",
    ),
    (
        "numa_interleave",
        "node_zoneinfo_numa_interleave_total",
        "Interleaver preferred this zone",
    ),
    (
        "numa_local",
        "node_zoneinfo_numa_local_total",
        "Allocation from local node",
    ),
    (
        "numa_miss",
        "node_zoneinfo_numa_miss_total",
        "Allocated in non intended node",
    ),
    (
        "numa_other",
        "node_zoneinfo_numa_other_total",
        "Allocation from other node",
    ),
    (
        "present",
        "node_zoneinfo_present_pages",
        "Physical pages existing within the zone",
    ),
    (
        "spanned",
        "node_zoneinfo_spanned_pages",
        "Total pages spanned by the zone, including holes",
    ),
    (
        "scanned",
        "node_zoneinfo_scanned_pages",
        "Pages scanned since last reclaim",
    ),
];

struct ZoneInfo {
    path: KernelFile,
}

impl ZoneInfo {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: KernelFile::new(context.roots.proc("zoneinfo")),
        }
    }
}

impl Collector for ZoneInfo {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let zones = parse(buffer.kept(&self.path)?)
            .map_err(|line| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
        for zone in &zones {
            let labels = [
                ("node", &*text::utf8(zone.node)),
                ("zone", &*text::utf8(zone.name)),
            ];
            for ((_, name, help), value) in FIELDS.iter().zip(zone.values) {
                let kind = if name.ends_with("_total") {
                    MetricKind::Counter
                } else {
                    MetricKind::Gauge
                };
                if let Some(value) = value {
                    out.family(name, help, kind).sample(&labels, value as f64);
                }
            }
            for (index, value) in zone.protection.iter().enumerate() {
                let help = format!("Protection array {index}. field");
                emit::gauge(
                    out,
                    &format!("node_zoneinfo_protection_{index}"),
                    &help,
                    &labels,
                    *value as f64,
                );
            }
        }
        Ok(Outcome::Data)
    }
}

struct Zone<'a> {
    node: &'a [u8],
    name: &'a [u8],
    /// By index of [`FIELDS`].
    values: [Option<i64>; 33],
    protection: Vec<i64>,
}

/// `Node 0, zone DMA`, then rows with key and value. What stands for the whole node is with its first zone.
fn parse(content: &[u8]) -> Result<Vec<Zone<'_>>, &[u8]> {
    let mut zones: Vec<Zone<'_>> = Vec::new();
    for line in text::lines(content) {
        let mut words = text::fields(line);
        let Some(key) = words.next() else { continue };
        if key == b"Node" {
            let node = words.next().ok_or(line)?;
            let (Some(b"zone"), Some(name)) = (words.next(), words.next()) else {
                return Err(line);
            };
            zones.push(Zone {
                node: node.strip_suffix(b",").unwrap_or(node),
                name,
                values: [None; 33],
                protection: Vec::new(),
            });
            continue;
        }
        let Some(zone) = zones.last_mut() else { continue };
        if key == b"protection:" {
            zone.protection = words
                .map(|word| text::signed(trim(word)))
                .collect::<Option<Vec<_>>>()
                .ok_or(line)?;
        } else if let Some(at) = FIELDS.iter().position(|(known, ..)| known.as_bytes() == key) {
            zone.values[at] = Some(words.next().and_then(text::signed).ok_or(line)?);
        }
    }
    Ok(zones)
}

/// Without the punctuation of a list.
fn trim(word: &[u8]) -> &[u8] {
    let word = word.strip_prefix(b"(").unwrap_or(word);
    word.strip_suffix(b",")
        .or(word.strip_suffix(b")"))
        .unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "Node 0, zone      DMA\n  per-node stats\n      nr_dirtied   1189097\n  pages free     2949\n        min      8\n        \
        protection: (0, 2039)\n      nr_free_pages 2949\n  pagesets\n    cpu: 0\n              high:  378\nNode 0, zone   Device\n        min      0\n";

    #[test]
    fn zones() {
        let host = Host::new(&[("proc/zoneinfo", CONTENT)]);
        let expected = [
            "node_zoneinfo_min_pages{node=\"0\",zone=\"DMA\"} 8",
            "node_zoneinfo_min_pages{node=\"0\",zone=\"Device\"} 0",
            "node_zoneinfo_nr_dirtied_total{node=\"0\",zone=\"DMA\"} 1.189097e+06",
            "node_zoneinfo_nr_free_pages{node=\"0\",zone=\"DMA\"} 2949",
            "node_zoneinfo_protection_0{node=\"0\",zone=\"DMA\"} 0",
            "node_zoneinfo_protection_1{node=\"0\",zone=\"DMA\"} 2039",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        assert!(parse(b"Node 0, zone DMA\nmin x\n").is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }
}
