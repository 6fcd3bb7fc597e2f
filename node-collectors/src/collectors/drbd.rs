//! `drbd`: replicated block devices, `/proc/drbd` (DRBD 8 user's guide, "Performance indicators").

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "drbd",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "State and traffic of DRBD devices.",
    sources: &["proc/drbd"],
    families: &["node_drbd_*"],
    options: &[],
    build: |context| Ok(Box::new(Drbd::new(context))),
};

/// Key, family, HELP, factor. `nr` is in KiB as `ns` is, but node_exporter does not say so.
static NUMBERS: [(&str, &str, &str, f64); 12] = [
    (
        "ns",
        "node_drbd_network_sent_bytes_total",
        "Total number of bytes sent via the network.",
        1024.0,
    ),
    (
        "nr",
        "node_drbd_network_received_bytes_total",
        "Total number of bytes received via the network.",
        1.0,
    ),
    (
        "dw",
        "node_drbd_disk_written_bytes_total",
        "Net data written on local hard disk; in bytes.",
        1024.0,
    ),
    (
        "dr",
        "node_drbd_disk_read_bytes_total",
        "Net data read from local hard disk; in bytes.",
        1024.0,
    ),
    (
        "al",
        "node_drbd_activitylog_writes_total",
        "Number of updates of the activity log area of the meta data.",
        1.0,
    ),
    (
        "bm",
        "node_drbd_bitmap_writes_total",
        "Number of updates of the bitmap area of the meta data.",
        1.0,
    ),
    (
        "lo",
        "node_drbd_local_pending",
        "Number of open requests to the local I/O sub-system.",
        1.0,
    ),
    (
        "pe",
        "node_drbd_remote_pending",
        "Number of requests sent to the peer, but that have not yet been answered by the latter.",
        1.0,
    ),
    (
        "ua",
        "node_drbd_remote_unacknowledged",
        "Number of requests received by the peer via the network connection, but that have not yet been answered.",
        1.0,
    ),
    (
        "ap",
        "node_drbd_application_pending",
        "Number of block I/O requests forwarded to DRBD, but not yet answered by DRBD.",
        1.0,
    ),
    (
        "ep",
        "node_drbd_epochs",
        "Number of Epochs currently on the fly.",
        1.0,
    ),
    (
        "oos",
        "node_drbd_out_of_sync_bytes",
        "Amount of data known to be out of sync; in bytes.",
        1024.0,
    ),
];

struct Drbd {
    path: PathBuf,
}

impl Drbd {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: context.roots.proc("drbd"),
        }
    }
}

impl Collector for Drbd {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let Some(content) = buffer.optional(&self.path)? else {
            return Ok(Outcome::NoData);
        };
        emit_devices(content, out)
            .map_err(|word| Error::parse(&self.path, format_args!("bad value {:?}", text::utf8(word))))?;
        Ok(Outcome::Data)
    }
}

/// Words `key:value`; a number as key begins a device.
fn emit_devices<'a>(content: &'a [u8], out: &mut Families) -> Result<(), &'a [u8]> {
    let mut device = String::from("unknown");
    let flag = |set: bool| f64::from(u8::from(set));
    for word in text::fields(content) {
        let Some((key, value)) = text::split_once(word, b':') else {
            continue;
        };
        if value.is_empty() && text::decimal(key).is_some() {
            device = format!("drbd{}", text::utf8(key));
            continue;
        }
        let device = ("device", &*device);
        if let Some((_, name, help, factor)) = NUMBERS.iter().find(|(known, ..)| known.as_bytes() == key) {
            let value = text::float(value).ok_or(word)? * factor;
            let kind = if name.ends_with("_total") {
                MetricKind::Counter
            } else {
                MetricKind::Gauge
            };
            out.family(name, help, kind).sample(&[device], value);
        } else if key == b"cs" {
            let help = "Whether DRBD is connected to the peer.";
            emit::gauge(
                out,
                "node_drbd_connected",
                help,
                &[device],
                flag(value == b"Connected"),
            );
        } else if key == b"ro" || key == b"ds" {
            let (name, help, wanted) = if key == b"ro" {
                let help = "Whether the role of the node is in the primary state.";
                ("node_drbd_node_role_is_primary", help, b"Primary".as_slice())
            } else {
                let help = "Whether the disk of the node is up to date.";
                ("node_drbd_disk_state_is_up_to_date", help, b"UpToDate".as_slice())
            };
            let (local, remote) = text::split_once(value, b'/').ok_or(word)?;
            for (node, state) in [("local", local), ("remote", remote)] {
                emit::gauge(out, name, help, &[device, ("node", node)], flag(state == wanted));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "version: 8.4.3 (api:1/proto:86-101)\n\n 1: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----\n    \
        ns:17324442 nr:10961011 dw:1 dr:2 al:3 bm:4 lo:5 pe:6 ua:7 ap:8 ep:1 wo:d oos:2\n";

    #[test]
    fn a_device() {
        let host = Host::new(&[("proc/drbd", CONTENT)]);
        let samples = host.samples(&DESCRIPTOR);
        assert_eq!(samples.len(), 12 + 1 + 4);
        for expected in [
            "node_drbd_node_role_is_primary{device=\"drbd1\",node=\"remote\"} 0",
            "node_drbd_out_of_sync_bytes{device=\"drbd1\"} 2048",
            "node_drbd_network_received_bytes_total{device=\"drbd1\"} 1.0961011e+07",
        ] {
            assert!(
                samples.iter().any(|sample| sample == expected),
                "{expected}: {samples:#?}"
            );
        }
        assert!(emit_devices(b"1: ns:x", &mut Families::new()).is_err());
        never_panics(CONTENT, |bytes| emit_devices(bytes, &mut Families::new()).is_ok());
    }
}
