//! `fibrechannel`: host bus adapters of Fibre Channel, `sys/class/fc_host`
//! (Documentation/scsi/scsi_fc_transport.rst).

use std::path::PathBuf;

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::read::entries;
use crate::sysfs::Sysfs;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "fibrechannel",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Ports of Fibre Channel adapters and their counters.",
    sources: &["sys/class/fc_host/*"],
    families: &["node_fibrechannel_*"],
    options: &[],
    build: |context| Ok(Box::new(FibreChannel::new(context))),
};

/// File, family, HELP.
static COUNTERS: [(&str, &str, &str); 14] = [
    (
        "dumped_frames",
        "node_fibrechannel_dumped_frames_total",
        "Number of dumped frames",
    ),
    (
        "error_frames",
        "node_fibrechannel_error_frames_total",
        "Number of errors in frames",
    ),
    (
        "invalid_crc_count",
        "node_fibrechannel_invalid_crc_total",
        "Invalid Cyclic Redundancy Check count",
    ),
    (
        "rx_frames",
        "node_fibrechannel_rx_frames_total",
        "Number of frames received",
    ),
    (
        "rx_words",
        "node_fibrechannel_rx_words_total",
        "Number of words received by host port",
    ),
    (
        "tx_frames",
        "node_fibrechannel_tx_frames_total",
        "Number of frames transmitted by host port",
    ),
    (
        "tx_words",
        "node_fibrechannel_tx_words_total",
        "Number of words transmitted by host port",
    ),
    (
        "seconds_since_last_reset",
        "node_fibrechannel_seconds_since_last_reset_total",
        "Number of seconds since last host port reset",
    ),
    (
        "invalid_tx_word_count",
        "node_fibrechannel_invalid_tx_words_total",
        "Number of invalid words transmitted by host port",
    ),
    (
        "link_failure_count",
        "node_fibrechannel_link_failure_total",
        "Number of times the host port link has failed",
    ),
    (
        "loss_of_sync_count",
        "node_fibrechannel_loss_of_sync_total",
        "Number of failures on either bit or transmission word boundaries",
    ),
    (
        "loss_of_signal_count",
        "node_fibrechannel_loss_of_signal_total",
        "Number of times signal has been lost",
    ),
    (
        "nos_count",
        "node_fibrechannel_nos_total",
        "Number Not_Operational Primitive Sequence received by host port",
    ),
    (
        "fcp_packet_aborts",
        "node_fibrechannel_fcp_packet_aborts_total",
        "Number of aborted packets",
    ),
];
/// Labels, named as their files, and how many characters of a prefix are cut.
static LABELS: [(&str, usize); 10] = [
    ("speed", 0),
    ("port_state", 0),
    ("port_type", 0),
    ("port_id", 2),
    ("port_name", 2),
    ("fabric_name", 2),
    ("symbolic_name", 0),
    ("supported_classes", 0),
    ("supported_speeds", 0),
    ("dev_loss_tmo", 0),
];

struct FibreChannel {
    hosts: PathBuf,
    sysfs: Sysfs,
}

impl FibreChannel {
    fn new(context: &Context<'_>) -> Self {
        Self {
            hosts: context.roots.sys("class/fc_host"),
            sysfs: context.sysfs(),
        }
    }
}

impl Collector for FibreChannel {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let hosts = match entries(&self.hosts) {
            Ok(hosts) => hosts,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Outcome::NoData),
            Err(error) => return Err(Error::read(&self.hosts, error)),
        };
        for host in hosts {
            let folder = self.hosts.join(&host);
            let values = LABELS.map(|(file, cut)| {
                let value = self.sysfs.text(&folder.join(file)).unwrap_or_default();
                value.get(cut..).unwrap_or_default().to_owned()
            });
            let mut labels = vec![("fc_host", &*host)];
            labels.extend(
                LABELS
                    .iter()
                    .zip(&values)
                    .map(|((name, _), value)| (*name, &**value)),
            );
            let help = "Non-numeric data from /sys/class/fc_host/<host>, value is always 1.";
            emit::gauge(out, "node_fibrechannel_info", help, &labels, 1.0);
            // A port whose state is not known has counters of 0.
            let known = !matches!(&*values[1], "" | "Unknown");
            for (file, name, help) in COUNTERS {
                let value = if known {
                    let value = self
                        .sysfs
                        .parsed(&folder.join("statistics").join(file), |content| {
                            text::hexadecimal(content.strip_prefix(b"0x").unwrap_or(content))
                        });
                    // All ones: the driver does not count it.
                    value.ok().filter(|value| *value != u64::MAX)
                } else {
                    Some(0)
                };
                if let Some(value) = value {
                    emit::counter(out, name, help, &[("fc_host", &*host)], value as f64);
                }
            }
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn a_port() {
        let host = Host::new(&[
            ("sys/class/fc_host/host0/port_state", "Online\n"),
            ("sys/class/fc_host/host0/port_id", "0x000002\n"),
            (
                "sys/class/fc_host/host0/statistics/dumped_frames",
                "0xffffffffffffffff\n",
            ),
            ("sys/class/fc_host/host0/statistics/nos_count", "0x12\n"),
            ("sys/class/fc_host/host1/port_state", "Unknown\n"),
        ]);
        let samples = host.samples(&DESCRIPTOR);
        assert_eq!(samples.len(), 2 + 1 + 14);
        assert!(samples.contains(&"node_fibrechannel_nos_total{fc_host=\"host0\"} 18".to_owned()));
        assert!(
            samples
                .iter()
                .any(|line| line.contains("port_id=\"000002\",port_name=\"\",port_state=\"Online\""))
        );
    }
}
