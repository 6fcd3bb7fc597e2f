//! `bonding`: bonded network interfaces, `sys/class/net/bonding_masters` (Documentation/networking/bonding.rst).

use std::path::PathBuf;

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::sysfs::Sysfs;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "bonding",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Configured and active interfaces of bonds.",
    sources: &[
        "sys/class/net/bonding_masters",
        "sys/class/net/*/bonding/slaves",
        "sys/class/net/*/*/bonding_slave/mii_status",
    ],
    families: &["node_bonding_*"],
    options: &[],
    build: |context| Ok(Box::new(Bonding::new(context))),
};

struct Bonding {
    net: PathBuf,
    sysfs: Sysfs,
}

impl Bonding {
    fn new(context: &Context<'_>) -> Self {
        Self {
            net: context.roots.sys("class/net"),
            sysfs: context.sysfs(),
        }
    }

    /// Configured and active interfaces of a bond.
    fn count(&self, bond: &str) -> Result<(u32, u32), Error> {
        let folder = self.net.join(bond);
        let (mut configured, mut active) = (0, 0);
        let slaves = self.sysfs.text(&folder.join("bonding/slaves"))?;
        for slave in slaves.split_ascii_whitespace() {
            // Kernels before 3.2 call the link otherwise.
            let status = |link: String| {
                self.sysfs
                    .text(&folder.join(link).join("bonding_slave/mii_status"))
            };
            let status = match status(format!("lower_{slave}")) {
                Err(error) if error.is_not_found() => status(format!("slave_{slave}")),
                status => status,
            };
            configured += 1;
            if self.sysfs.lenient(status)?.is_some_and(|status| status == "up") {
                active += 1;
            }
        }
        Ok((configured, active))
    }
}

impl Collector for Bonding {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let Some(bonds) = self.sysfs.text_if_any(&self.net.join("bonding_masters"))? else {
            return Ok(Outcome::NoData);
        };
        for bond in bonds.split_ascii_whitespace() {
            let Some((configured, active)) = self.sysfs.lenient(self.count(bond))? else {
                continue;
            };
            let labels = [("master", bond)];
            let help = "Number of configured slaves per bonding interface.";
            emit::gauge(out, "node_bonding_slaves", help, &labels, configured.into());
            let help = "Number of active slaves per bonding interface.";
            emit::gauge(out, "node_bonding_active", help, &labels, active.into());
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn bonds() {
        let host = Host::new(&[
            ("sys/class/net/bonding_masters", "bond0 int\n"),
            ("sys/class/net/bond0/bonding/slaves", "\n"),
            ("sys/class/net/int/bonding/slaves", "eth5 eth1\n"),
            ("sys/class/net/int/lower_eth5/bonding_slave/mii_status", "down\n"),
            ("sys/class/net/int/slave_eth1/bonding_slave/mii_status", "up\n"),
        ]);
        let expected = [
            "node_bonding_active{master=\"bond0\"} 0",
            "node_bonding_active{master=\"int\"} 1",
            "node_bonding_slaves{master=\"bond0\"} 0",
            "node_bonding_slaves{master=\"int\"} 2",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        std::fs::remove_dir_all(host.path().join("sys/class/net/bond0")).unwrap();
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [expected[1], expected[3]],
            "a bond that went away"
        );
    }
}
