//! `selinux`: whether SELinux is on, and what it enforces, selinuxfs and `etc/selinux/config` (selinux(8)).

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "selinux",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Whether SELinux is enabled, and its configured and current mode.",
    sources: &["sys/fs/selinux/enforce", "etc/selinux/config"],
    families: &["node_selinux_*"],
    options: &[],
    build: |context| Ok(Box::new(SeLinux::new(context))),
};

struct SeLinux {
    enforce: PathBuf,
    config: PathBuf,
}

impl SeLinux {
    fn new(context: &Context<'_>) -> Self {
        Self {
            enforce: context.roots.sys("fs/selinux/enforce"),
            config: context.roots.rootfs("etc/selinux/config"),
        }
    }
}

impl Collector for SeLinux {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        // The file is there only while selinuxfs is mounted, which it is only while SELinux is on.
        let current = buffer.optional(&self.enforce)?.map(current_mode);
        let help = "SELinux is enabled, 1 is true, 0 is false";
        let enabled = f64::from(u8::from(current.is_some()));
        out.single("node_selinux_enabled", help, MetricKind::Gauge, enabled);
        if let Some(current) = current {
            let configured = configured_mode(buffer.optional(&self.config)?.unwrap_or_default());
            let help = "Configured SELinux enforcement mode";
            out.single("node_selinux_config_mode", help, MetricKind::Gauge, configured);
            let help = "Current SELinux enforcement mode";
            out.single("node_selinux_current_mode", help, MetricKind::Gauge, current);
        }
        Ok(Outcome::Data)
    }
}

const ENFORCING: f64 = 1.0;
const PERMISSIVE: f64 = 0.0;
const DISABLED: f64 = -1.0;

fn current_mode(content: &[u8]) -> f64 {
    match content.trim_ascii() {
        b"1" => ENFORCING,
        b"0" => PERMISSIVE,
        _ => DISABLED,
    }
}

/// The value of `SELINUX` in the configuration file.
fn configured_mode(content: &[u8]) -> f64 {
    let mode = text::lines(content).find_map(|line| match text::split_once(line, b'=') {
        Some((b"SELINUX", mode)) => Some(mode),
        _ => None,
    });
    match mode {
        Some(b"enforcing") => ENFORCING,
        Some(b"permissive") => PERMISSIVE,
        _ => DISABLED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    #[test]
    fn off_and_on() {
        let host = Host::new(&[(
            "etc/selinux/config",
            "# SELINUX=disabled\nSELINUX=permissive\nSELINUXTYPE=targeted\n",
        )]);
        assert_eq!(host.samples(&DESCRIPTOR), ["node_selinux_enabled 0"]);
        host.write("sys/fs/selinux/enforce", "1");
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_selinux_config_mode 0",
                "node_selinux_current_mode 1",
                "node_selinux_enabled 1"
            ]
        );
        never_panics("SELINUX=enforcing\n", configured_mode);
    }
}
