//! `edac`: memory errors that the hardware detected, `sys/devices/system/edac/mc`
//! (Documentation/admin-guide/RAS/main.rst).

use std::path::{Path, PathBuf};

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::read::{Buffer, entries_if_any};
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "edac",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Corrected and uncorrected memory errors by controller, row and channel.",
    sources: &["sys/devices/system/edac/mc/mc*"],
    families: &["node_edac_*"],
    options: &[],
    build: |context| Ok(Box::new(Edac::new(context))),
};

struct Edac {
    controllers: PathBuf,
}

impl Edac {
    fn new(context: &Context<'_>) -> Self {
        Self {
            controllers: context.roots.sys("devices/system/edac/mc"),
        }
    }
}

/// Errors of one kind, corrected or not: prefix of the files, and the word in the families' names and HELP.
static KINDS: [(&str, &str); 2] = [("ce", "correctable"), ("ue", "uncorrectable")];

impl Collector for Edac {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        for (controller, folder) in numbered(&self.controllers, "mc")? {
            let rows = numbered(&folder, "csrow")?;
            for (prefix, word) in KINDS {
                let count = |path: &Path| count(path);
                let mut emit = |scope: &str, what: &str, labels: &[(&str, &str)], value: Option<u64>| {
                    if let Some(value) = value {
                        let name = format!("node_edac_{scope}{word}_errors_total");
                        let help = format!("Total {word} memory errors{what}.");
                        out.family(&name, &help, MetricKind::Counter)
                            .sample(labels, value as f64);
                    }
                };
                let controller = ("controller", &*controller);
                emit(
                    "",
                    "",
                    &[controller],
                    count(&folder.join(format!("{prefix}_count"))),
                );
                let unknown = count(&folder.join(format!("{prefix}_noinfo_count")));
                emit(
                    "csrow_",
                    " for this csrow",
                    &[controller, ("csrow", "unknown")],
                    unknown,
                );
                for (row, folder) in &rows {
                    let row = ("csrow", &**row);
                    let errors = count(&folder.join(format!("{prefix}_count")));
                    emit("csrow_", " for this csrow", &[controller, row], errors);
                    for (channel, errors, label) in channels(folder, prefix)? {
                        let labels = [("channel", &*channel), controller, row, ("dimm_label", &*label)];
                        emit("channel_", " for this channel", &labels, Some(errors));
                    }
                }
            }
        }
        Ok(Outcome::Data)
    }
}

/// Number and path of the folders `<prefix>N` below `folder`.
fn numbered(folder: &Path, prefix: &str) -> Result<Vec<(String, PathBuf)>, Error> {
    let names = entries_if_any(folder)?;
    Ok(names
        .iter()
        .filter_map(|name| {
            let number = name.strip_prefix(prefix)?;
            text::decimal(number.as_bytes())?;
            Some((number.to_owned(), folder.join(name)))
        })
        .collect())
}

fn count(path: &Path) -> Option<u64> {
    text::decimal(Buffer::take().attribute(path).ok()?)
}

/// Number, errors and module label of the channels of a row that count errors of this kind.
fn channels(row: &Path, prefix: &str) -> Result<Vec<(String, u64, String)>, Error> {
    let suffix = format!("_{prefix}_count");
    let mut channels = Vec::new();
    for name in entries_if_any(row)? {
        let Some(channel) = name
            .strip_prefix("ch")
            .and_then(|rest| rest.strip_suffix(&suffix))
        else {
            continue;
        };
        let Some(errors) = count(&row.join(&name)) else {
            continue;
        };
        let mut buffer = Buffer::take();
        let label = match buffer.attribute(&row.join(format!("ch{channel}_dimm_label"))) {
            Ok(label) => dimm_label(&text::utf8(label)),
            Err(_) => "unknown".to_owned(),
        };
        channels.push((channel.to_owned(), errors, label));
    }
    Ok(channels)
}

/// `mc#0csrow#1channel#0` as `mc0_csrow1_channel0`.
fn dimm_label(label: &str) -> String {
    label
        .replace('#', "")
        .replace("csrow", "_csrow")
        .replace("channel", "_channel")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn controllers_rows_and_channels() {
        let mc = "sys/devices/system/edac/mc/mc0";
        let host = Host::new(&[
            (&format!("{mc}/ce_count"), "1\n"),
            (&format!("{mc}/ce_noinfo_count"), "2\n"),
            (&format!("{mc}/ue_count"), "bad\n"),
            (&format!("{mc}/csrow0/ue_count"), "4\n"),
            (&format!("{mc}/csrow0/ch1_ce_count"), "5\n"),
            (&format!("{mc}/csrow0/ch1_dimm_label"), "mc#0csrow#0channel#1\n"),
            (&format!("{mc}/csrow0/ch0_ce_count"), "6\n"),
        ]);
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_edac_channel_correctable_errors_total{channel=\"0\",controller=\"0\",csrow=\"0\",dimm_label=\"unknown\"} 6",
                "node_edac_channel_correctable_errors_total{channel=\"1\",controller=\"0\",csrow=\"0\",dimm_label=\"mc0_csrow0_channel1\"} 5",
                "node_edac_correctable_errors_total{controller=\"0\"} 1",
                "node_edac_csrow_correctable_errors_total{controller=\"0\",csrow=\"unknown\"} 2",
                "node_edac_csrow_uncorrectable_errors_total{controller=\"0\",csrow=\"0\"} 4",
            ]
        );
    }
}
