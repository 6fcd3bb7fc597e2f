//! `drm`: AMD graphics cards, `sys/class/drm/card*/device` (drivers/gpu/drm/amd/amdgpu/amdgpu_pm.c).

use std::path::{Path, PathBuf};

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::read::entries_if_any;
use crate::sysfs::{Sysfs, if_any};

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "drm",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Load and memory of AMD graphics cards.",
    sources: &["sys/class/drm/card[0-9]/device/*"],
    families: &["node_drm_*"],
    options: &[],
    build: |context| Ok(Box::new(Drm::new(context))),
};

static NUMBERS: [(&str, &str, &str); 7] = [
    (
        "gpu_busy_percent",
        "node_drm_gpu_busy_percent",
        "How busy the GPU is as a percentage.",
    ),
    (
        "mem_info_gtt_total",
        "node_drm_memory_gtt_size_bytes",
        "The size of the graphics translation table (GTT) block in bytes.",
    ),
    (
        "mem_info_gtt_used",
        "node_drm_memory_gtt_used_bytes",
        "The used amount of the graphics translation table (GTT) block in bytes.",
    ),
    (
        "mem_info_vis_vram_total",
        "node_drm_memory_vis_vram_size_bytes",
        "The size of visible VRAM in bytes.",
    ),
    (
        "mem_info_vis_vram_used",
        "node_drm_memory_vis_vram_used_bytes",
        "The used amount of visible VRAM in bytes.",
    ),
    (
        "mem_info_vram_total",
        "node_drm_memory_vram_size_bytes",
        "The size of VRAM in bytes.",
    ),
    (
        "mem_info_vram_used",
        "node_drm_memory_vram_used_bytes",
        "The used amount of VRAM in bytes.",
    ),
];

struct Drm {
    class: PathBuf,
    sysfs: Sysfs,
}

impl Drm {
    fn new(context: &Context<'_>) -> Self {
        Self {
            class: context.roots.sys("class/drm"),
            sysfs: context.sysfs(),
        }
    }

    fn card(&self, card: &str, out: &mut Families) -> Result<(), Error> {
        let folder = self.class.join(card).join("device");
        let Some(events) = self.sysfs.text_if_any(&folder.join("uevent"))? else {
            return Ok(());
        };
        if !events.lines().any(|line| line == "DRIVER=amdgpu") {
            return Ok(());
        }
        let text = |file: &str| known(self.sysfs.text(&folder.join(file)));
        let vendor = text("mem_info_vram_vendor")?;
        let level = text("power_dpm_force_performance_level")?;
        let unique = text("unique_id")?;
        let labels = [
            ("card", card),
            ("memory_vendor", &*vendor),
            ("power_performance_level", &*level),
            ("unique_id", &*unique),
            ("vendor", "amd"),
        ];
        emit::gauge(out, "node_drm_card_info", "Card information", &labels, 1.0);
        for (file, name, help) in NUMBERS {
            let value = self.number(&folder.join(file))?;
            emit::gauge(out, name, help, &[("card", card)], value as f64);
        }
        Ok(())
    }

    fn number(&self, path: &Path) -> Result<u64, Error> {
        known(self.sysfs.unsigned(path))
    }
}

/// The value, or the empty one where the driver has no such file.
fn known<T: Default>(value: Result<T, Error>) -> Result<T, Error> {
    if_any(value).map(Option::unwrap_or_default)
}

impl Collector for Drm {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        for card in entries_if_any(&self.class)? {
            // node_exporter's pattern has one digit; connectors are `card0-DP-1`.
            let digits = card.strip_prefix("card").unwrap_or_default();
            let fits = if self.sysfs.is_compat() {
                digits.len() == 1
            } else {
                !digits.is_empty()
            };
            if !fits || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                continue;
            }
            match self.card(&card, out) {
                // A card that sleeps.
                Err(error) if error.raw_os_error() == Some(nix::errno::Errno::ENODATA as i32) => {}
                result => {
                    self.sysfs.lenient(result)?;
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
    fn only_cards_of_amd() {
        let host = Host::new(&[
            ("sys/class/drm/card0/device/uevent", "DRIVER=amdgpu\nX=1\n"),
            ("sys/class/drm/card0/device/gpu_busy_percent", "7\n"),
            ("sys/class/drm/card0/device/mem_info_vram_vendor", "samsung\n"),
            ("sys/class/drm/card1/device/uevent", "DRIVER=i915\n"),
            ("sys/class/drm/card12/device/uevent", "DRIVER=amdgpu\n"),
            ("sys/class/drm/card0-DP-1/status", "connected\n"),
        ]);
        let samples = host.samples(&DESCRIPTOR);
        assert_eq!(samples.len(), 16, "{samples:#?}");
        assert!(samples.contains(&"node_drm_gpu_busy_percent{card=\"card0\"} 7".to_owned()));
        assert!(samples.contains(&"node_drm_memory_vram_used_bytes{card=\"card0\"} 0".to_owned()));
        assert!(samples[0].contains("memory_vendor=\"samsung\""), "{samples:#?}");
        assert_eq!(host.compat_samples(&DESCRIPTOR).len(), 8);
    }
}
