//! `mountstats`: what NFS mounts have done, `proc/self/mountstats` (net/sunrpc/stats.c, fs/nfs/super.c).

use std::collections::HashSet;
use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::read::Buffer;
use crate::sysfs::Sysfs;
use crate::text;

mod columns;
mod parse;

use columns::{BYTES, Column, EVENTS, OPERATIONS, TRANSPORT};
use parse::Mount;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "mountstats",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Operations, bytes and transports of NFS mounts.",
    sources: &["proc/self/mountstats", "proc/self/mountinfo"],
    families: &["node_mountstats_nfs_*"],
    options: &[],
    build: |context| Ok(Box::new(MountStats::new(context))),
};

struct MountStats {
    stats: PathBuf,
    mountinfo: PathBuf,
    sysfs: Sysfs,
}

impl MountStats {
    fn new(context: &Context<'_>) -> Self {
        Self {
            stats: context.roots.proc("self/mountstats"),
            mountinfo: context.roots.proc("self/mountinfo"),
            sysfs: context.sysfs(),
        }
    }
}

impl Collector for MountStats {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let (mut stats, mut mountinfo) = (Buffer::take(), Buffer::take());
        let mountinfo = text::utf8(mountinfo.file(&self.mountinfo)?);
        let mounts: Vec<&str> = mountinfo.lines().collect();
        let stats = text::utf8(stats.file(&self.stats)?);
        let mut seen = Seen::default();
        for (index, mount) in parse::mounts(&stats).into_iter().enumerate() {
            let mount = mount.map_err(|fault| Error::parse(&self.stats, fault));
            let Some(Some(mount)) = self.sysfs.lenient(mount)? else {
                continue;
            };
            // Both files list the same mounts in the same order.
            let Some(info) = mounts.get(index) else { continue };
            emit(&mount, address(info), &mut seen, out);
        }
        Ok(Outcome::Data)
    }
}

/// The server's address among the options of a mount's superblock.
fn address(mountinfo: &str) -> &str {
    let options = mountinfo.rsplit(' ').next().unwrap_or_default();
    options
        .split(',')
        .find_map(|option| option.strip_prefix("addr="))
        .unwrap_or_default()
}

/// What was given already: a server's export has one set of statistics, however often it is mounted.
#[derive(Default)]
struct Seen {
    points: HashSet<[String; 4]>,
    exports: HashSet<[String; 3]>,
}

fn emit(mount: &Mount<'_>, address: &str, seen: &mut Seen, out: &mut Families) {
    for transport in &mount.transports {
        let export = [mount.device, transport.protocol, address];
        let point = [mount.device, transport.protocol, address, mount.point];
        let labels = [
            ("export", mount.device),
            ("protocol", transport.protocol),
            ("mountaddr", address),
        ];
        if seen.points.insert(point.map(str::to_owned)) {
            let labels = [labels[0], labels[1], labels[2], ("mountpoint", mount.point)];
            let name = "node_mountstats_nfs_mountpoint_info";
            emit::gauge(out, name, "Info metric for an NFS mountpoint.", &labels, 1.0);
        }
        if !seen.exports.insert(export.map(str::to_owned)) {
            return;
        }
        let help = "The age of the NFS mount in seconds.";
        let age = mount.age as f64;
        emit::counter(out, "node_mountstats_nfs_age_seconds_total", help, &labels, age);
        row(
            &BYTES,
            &labels,
            mount.bytes.iter().map(|value| *value as f64),
            out,
        );
        row(
            &EVENTS,
            &labels,
            mount.events.iter().map(|value| *value as f64),
            out,
        );
        for (operation, values) in &mount.operations {
            let labels = [labels[0], labels[1], labels[2], ("operation", *operation)];
            row(&OPERATIONS, &labels, values.iter().copied(), out);
        }
        for (index, transport) in mount.transports.iter().enumerate() {
            let index = text::Decimal::new(index as u64);
            let labels = [labels[0], labels[1], labels[2], ("transport", index.as_str())];
            row(&TRANSPORT, &labels, transport.values.iter().copied(), out);
        }
    }
}

fn row(columns: &[Column], labels: &[(&str, &str)], values: impl Iterator<Item = f64>, out: &mut Families) {
    for (column, value) in columns.iter().zip(values) {
        if let Some((name, help)) = column {
            let kind = if name.ends_with("_total") {
                MetricKind::Counter
            } else {
                MetricKind::Gauge
            };
            out.family(name, help, kind).sample(labels, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    const MOUNTINFO: &str = "1 2 0:1 / / rw - ext4 /dev/a rw\n3 1 0:2 / /m rw - nfs4 s:/e rw,addr=10.0.0.1\n\
        4 1 0:2 / /n rw - nfs4 s:/e rw,addr=10.0.0.1\n";

    fn nfs(point: &str) -> String {
        format!(
            "device s:/e mounted on {point} with fstype nfs4 statvers=1.1\n\tage:\t7\n\tbytes:\t1 2 3 4 5 6 7 8\n\
            \txprt:\ttcp 832 0 1 0 11 2 3 0 4 9 5 6 7\n\tper-op statistics\n\t READ: 1 2 3 4 5 1000 18446744073709551615 0\n\n"
        )
    }

    #[test]
    fn an_export_counts_once_and_each_mount_point_is_told() {
        let stats = format!(
            "device /dev/a mounted on / with fstype ext4\n{}{}",
            nfs("/m"),
            nfs("/n")
        );
        let host = Host::new(&[
            ("proc/self/mountinfo", MOUNTINFO),
            ("proc/self/mountstats", &stats),
        ]);
        let samples = host.samples(&DESCRIPTOR);
        assert_eq!(samples.len(), 2 + 1 + 8 + 8 + 10, "{samples:#?}");
        let id = "export=\"s:/e\",mountaddr=\"10.0.0.1\"";
        for expected in [
            format!("node_mountstats_nfs_mountpoint_info{{{id},mountpoint=\"/n\",protocol=\"tcp\"}} 1"),
            format!("node_mountstats_nfs_age_seconds_total{{{id},protocol=\"tcp\"}} 7"),
            format!(
                "node_mountstats_nfs_operations_queue_time_seconds_total{{{id},operation=\"READ\",protocol=\"tcp\"}} 1"
            ),
            format!(
                "node_mountstats_nfs_operations_response_time_seconds_total{{{id},operation=\"READ\",protocol=\"tcp\"}} 9.00719925474099e+12"
            ),
            format!(
                "node_mountstats_nfs_transport_idle_time_seconds{{{id},protocol=\"tcp\",transport=\"0\"}} 11"
            ),
            format!(
                "node_mountstats_nfs_transport_maximum_rpc_slots{{{id},protocol=\"tcp\",transport=\"0\"}} 5"
            ),
        ] {
            assert!(samples.contains(&expected), "{expected}: {samples:#?}");
        }
    }

    #[test]
    fn a_garbled_mount_costs_itself_only_unless_quirks_are_kept() {
        let stats = format!(
            "device s:/e mounted on /m with fstype nfs statvers=1.1\n\tage: x\n{}",
            nfs("/n")
        );
        let host = Host::new(&[
            ("proc/self/mountinfo", MOUNTINFO),
            ("proc/self/mountstats", &stats),
        ]);
        assert_eq!(host.samples(&DESCRIPTOR).len(), 28);
        let strict = host
            .collector_as(crate::Mode::Compat, &DESCRIPTOR, |_| ())
            .unwrap();
        assert!(strict.update(&mut Families::new()).is_err());
    }
}
