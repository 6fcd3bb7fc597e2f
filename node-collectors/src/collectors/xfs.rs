//! `xfs`: statistics of XFS file systems, `sys/fs/xfs/*/stats/stats` (fs/xfs/xfs_stats.c).

use std::path::PathBuf;

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::read::{Buffer, entries_if_any};
use crate::sysfs::Sysfs;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "xfs",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Operations of XFS file systems.",
    sources: &["sys/fs/xfs/*/stats/stats"],
    families: &["node_xfs_*"],
    options: &[],
    build: |context| Ok(Box::new(Xfs::new(context))),
};

/// Row, column, family, HELP.
static COUNTERS: [(&str, usize, &str, &str); 39] = [
    (
        "extent_alloc",
        0,
        "node_xfs_extent_allocation_extents_allocated_total",
        "Number of extents allocated for a filesystem.",
    ),
    (
        "extent_alloc",
        1,
        "node_xfs_extent_allocation_blocks_allocated_total",
        "Number of blocks allocated for a filesystem.",
    ),
    (
        "extent_alloc",
        2,
        "node_xfs_extent_allocation_extents_freed_total",
        "Number of extents freed for a filesystem.",
    ),
    (
        "extent_alloc",
        3,
        "node_xfs_extent_allocation_blocks_freed_total",
        "Number of blocks freed for a filesystem.",
    ),
    (
        "abt",
        0,
        "node_xfs_allocation_btree_lookups_total",
        "Number of allocation B-tree lookups for a filesystem.",
    ),
    (
        "abt",
        1,
        "node_xfs_allocation_btree_compares_total",
        "Number of allocation B-tree compares for a filesystem.",
    ),
    (
        "abt",
        2,
        "node_xfs_allocation_btree_records_inserted_total",
        "Number of allocation B-tree records inserted for a filesystem.",
    ),
    (
        "abt",
        3,
        "node_xfs_allocation_btree_records_deleted_total",
        "Number of allocation B-tree records deleted for a filesystem.",
    ),
    (
        "blk_map",
        0,
        "node_xfs_block_mapping_reads_total",
        "Number of block map for read operations for a filesystem.",
    ),
    (
        "blk_map",
        1,
        "node_xfs_block_mapping_writes_total",
        "Number of block map for write operations for a filesystem.",
    ),
    (
        "blk_map",
        2,
        "node_xfs_block_mapping_unmaps_total",
        "Number of block unmaps (deletes) for a filesystem.",
    ),
    (
        "blk_map",
        3,
        "node_xfs_block_mapping_extent_list_insertions_total",
        "Number of extent list insertions for a filesystem.",
    ),
    (
        "blk_map",
        4,
        "node_xfs_block_mapping_extent_list_deletions_total",
        "Number of extent list deletions for a filesystem.",
    ),
    (
        "blk_map",
        5,
        "node_xfs_block_mapping_extent_list_lookups_total",
        "Number of extent list lookups for a filesystem.",
    ),
    (
        "blk_map",
        6,
        "node_xfs_block_mapping_extent_list_compares_total",
        "Number of extent list compares for a filesystem.",
    ),
    (
        "bmbt",
        0,
        "node_xfs_block_map_btree_lookups_total",
        "Number of block map B-tree lookups for a filesystem.",
    ),
    (
        "bmbt",
        1,
        "node_xfs_block_map_btree_compares_total",
        "Number of block map B-tree compares for a filesystem.",
    ),
    (
        "bmbt",
        2,
        "node_xfs_block_map_btree_records_inserted_total",
        "Number of block map B-tree records inserted for a filesystem.",
    ),
    (
        "bmbt",
        3,
        "node_xfs_block_map_btree_records_deleted_total",
        "Number of block map B-tree records deleted for a filesystem.",
    ),
    (
        "dir",
        0,
        "node_xfs_directory_operation_lookup_total",
        "Number of file name directory lookups which miss the operating systems directory name lookup cache.",
    ),
    (
        "dir",
        1,
        "node_xfs_directory_operation_create_total",
        "Number of times a new directory entry was created for a filesystem.",
    ),
    (
        "dir",
        2,
        "node_xfs_directory_operation_remove_total",
        "Number of times an existing directory entry was created for a filesystem.",
    ),
    (
        "dir",
        3,
        "node_xfs_directory_operation_getdents_total",
        "Number of times the directory getdents operation was performed for a filesystem.",
    ),
    (
        "ig",
        0,
        "node_xfs_inode_operation_attempts_total",
        "Number of times the OS looked for an XFS inode in the inode cache.",
    ),
    (
        "ig",
        1,
        "node_xfs_inode_operation_found_total",
        "Number of times the OS looked for and found an XFS inode in the inode cache.",
    ),
    (
        "ig",
        2,
        "node_xfs_inode_operation_recycled_total",
        "Number of times the OS found an XFS inode in the cache, but could not use it as it was being recycled.",
    ),
    (
        "ig",
        3,
        "node_xfs_inode_operation_missed_total",
        "Number of times the OS looked for an XFS inode in the cache, but did not find it.",
    ),
    (
        "ig",
        4,
        "node_xfs_inode_operation_duplicates_total",
        "Number of times the OS tried to add a missing XFS inode to the inode cache, but found it had already been added by another process.",
    ),
    (
        "ig",
        5,
        "node_xfs_inode_operation_reclaims_total",
        "Number of times the OS reclaimed an XFS inode from the inode cache to free memory for another purpose.",
    ),
    (
        "ig",
        6,
        "node_xfs_inode_operation_attribute_changes_total",
        "Number of times the OS explicitly changed the attributes of an XFS inode.",
    ),
    (
        "rw",
        0,
        "node_xfs_write_calls_total",
        "Number of write(2) system calls made to files in a filesystem.",
    ),
    (
        "rw",
        1,
        "node_xfs_read_calls_total",
        "Number of read(2) system calls made to files in a filesystem.",
    ),
    (
        "vnodes",
        0,
        "node_xfs_vnode_active_total",
        "Number of vnodes not on free lists for a filesystem.",
    ),
    (
        "vnodes",
        1,
        "node_xfs_vnode_allocate_total",
        "Number of times vn_alloc called for a filesystem.",
    ),
    (
        "vnodes",
        2,
        "node_xfs_vnode_get_total",
        "Number of times vn_get called for a filesystem.",
    ),
    (
        "vnodes",
        3,
        "node_xfs_vnode_hold_total",
        "Number of times vn_hold called for a filesystem.",
    ),
    (
        "vnodes",
        4,
        "node_xfs_vnode_release_total",
        "Number of times vn_rele called for a filesystem.",
    ),
    (
        "vnodes",
        5,
        "node_xfs_vnode_reclaim_total",
        "Number of times vn_reclaim called for a filesystem.",
    ),
    (
        "vnodes",
        6,
        "node_xfs_vnode_remove_total",
        "Number of times vn_remove called for a filesystem.",
    ),
];

struct Xfs {
    folder: PathBuf,
    lenient: Sysfs,
}

impl Xfs {
    fn new(context: &Context<'_>) -> Self {
        Self {
            folder: context.roots.sys("fs/xfs"),
            lenient: context.sysfs(),
        }
    }
}

impl Collector for Xfs {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        for device in entries_if_any(&self.folder)? {
            let path = self.folder.join(&device).join("stats/stats");
            let content = match buffer.optional(&path) {
                Ok(Some(content)) => content,
                Ok(None) => continue,
                // `stats` beside the devices is the sum over them, and its `stats` a file.
                Err(error) if error.raw_os_error() == Some(libc::ENOTDIR) => continue,
                Err(error) => {
                    self.lenient.lenient(Err::<(), _>(error))?;
                    continue;
                }
            };
            let values = parse(content)
                .map_err(|line| Error::parse(&path, format_args!("bad line {:?}", text::utf8(line))));
            if let Some(values) = self.lenient.lenient(values)? {
                for ((_, _, name, help), value) in COUNTERS.iter().zip(values) {
                    emit::counter(out, name, help, &[("device", &*device)], f64::from(value));
                }
            }
        }
        Ok(Outcome::Data)
    }
}

/// The counters in order of the table. A row that the file lacks is 0.
fn parse(content: &[u8]) -> Result<[u32; COUNTERS.len()], &[u8]> {
    let mut values = [0; COUNTERS.len()];
    for line in text::lines(content) {
        let mut words = text::fields(line);
        let Some(row) = words.next() else { continue };
        for ((_, column, ..), value) in COUNTERS
            .iter()
            .zip(&mut values)
            .filter(|((known, ..), _)| known.as_bytes() == row)
        {
            let word = words.clone().nth(*column).and_then(text::decimal);
            *value = word.and_then(|word| word.try_into().ok()).ok_or(line)?;
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str =
        "extent_alloc 1 872 0 0\ntrans 4 40 0\nrw 28 7\nvnodes 4 0 0 0 1 1 1 0\nxpc 3571712 3568056 0\n";

    #[test]
    fn known_rows() {
        let host = Host::new(&[
            ("sys/fs/xfs/sda1/stats/stats", CONTENT),
            ("sys/fs/xfs/stats/stats", CONTENT),
        ]);
        let samples = host.samples(&DESCRIPTOR);
        assert_eq!(samples.len(), COUNTERS.len());
        for expected in [
            "node_xfs_extent_allocation_blocks_allocated_total{device=\"sda1\"} 872",
            "node_xfs_read_calls_total{device=\"sda1\"} 7",
            "node_xfs_vnode_release_total{device=\"sda1\"} 1",
        ] {
            assert!(samples.iter().any(|sample| sample == expected), "{expected}");
        }
        assert!(parse(b"rw 1\n").is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }
}
