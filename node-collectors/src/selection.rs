//! Which collectors run: the platform's defaults or none, and what was asked for by name.

use std::collections::BTreeMap;

use crate::collector::{Descriptor, Platform, Support};
use crate::collectors::REGISTRY;
use crate::error::{Error, ErrorKind};
use crate::suggest::nearest;

/// Names that node_exporter has on Linux or macOS, to tell "not here" from "never heard of".
const NODE_EXPORTER: &str = "arp bcache bcachefs bonding boottime btrfs buddyinfo cgroups conntrack cpu \
    cpu_vulnerabilities cpufreq diskstats dmi dmmultipath drbd drm edac entropy ethtool fibrechannel filefd \
    filesystem hwmon infiniband interrupts ipvs kernel_hung ksmd lnstat loadavg logind mdadm meminfo \
    meminfo_numa mountstats netclass netdev netstat network_route nfs nfsd ntp nvme nvmesubsystem os pcidevice \
    perf powersupplyclass pressure processes qdisc rapl runit schedstat selinux slabinfo sockstat softirqs \
    softnet stat supervisord swap sysctl systemd tapestats tcpstat textfile thermal thermal_zone time timex \
    udp_queues uname vmstat watchdog wifi xfrm xfs zfs zoneinfo";

/// The choice of collectors.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Selection {
    pub(crate) defaults: bool,
    /// What was asked for by name; the last word counts.
    pub(crate) named: BTreeMap<String, bool>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            defaults: true,
            named: BTreeMap::new(),
        }
    }
}

impl Selection {
    /// The collectors to run, in order of name, or which name is wrong. A collector of node_exporter that does
    /// not exist here may be switched off, since that is then the case.
    pub(crate) fn resolve(
        &self,
        registry: &[&'static Descriptor],
        platform: Option<Platform>,
    ) -> Result<Vec<&'static Descriptor>, Error> {
        for (name, wanted) in &self.named {
            check(name, *wanted, registry, platform)?;
        }
        Ok(registry
            .iter()
            .copied()
            .filter(|descriptor| {
                let support = platform.map_or(Support::Absent, |platform| descriptor.support(platform));
                let asked = self.named.get(descriptor.name).copied();
                support != Support::Absent && asked.unwrap_or(self.defaults && support == Support::On)
            })
            .collect())
    }
}

fn check(
    name: &str,
    wanted: bool,
    registry: &[&'static Descriptor],
    platform: Option<Platform>,
) -> Result<(), Error> {
    let here = |descriptor: &Descriptor| {
        platform.is_some_and(|platform| descriptor.support(platform) != Support::Absent)
    };
    let found = registry.iter().find(|descriptor| descriptor.name == name);
    if found.is_some_and(|descriptor| here(descriptor)) {
        return Ok(());
    }
    let upstream = NODE_EXPORTER.split(' ').any(|known| known == name);
    if !wanted && (found.is_some() || upstream) {
        return Ok(());
    }
    let existing: Vec<&str> = registry
        .iter()
        .filter(|descriptor| here(descriptor))
        .map(|descriptor| descriptor.name)
        .collect();
    let (kind, fault) = match (found, platform) {
        (Some(_), Some(platform)) => (
            ErrorKind::UnsupportedCollector,
            format!("does not exist on {}", platform.name()),
        ),
        (Some(_), None) => (
            ErrorKind::UnsupportedCollector,
            "does not exist on this operating system".to_owned(),
        ),
        (None, _) if upstream => (
            ErrorKind::UnsupportedCollector,
            "of node_exporter is not implemented".to_owned(),
        ),
        (None, _) => (ErrorKind::UnknownCollector, "is unknown".to_owned()),
    };
    let hint = match nearest(name, existing.iter().copied()) {
        Some(near) if found.is_none() && !upstream => format!(", did you mean {near:?}?"),
        _ => ";".to_owned(),
    };
    Err(Error::new(
        kind,
        format!(
            "collector {name:?} {fault}{hint} existing ones: {}",
            existing.join(", ")
        ),
    ))
}

/// Every collector of this build, whatever its platform, in order of name.
pub fn registry() -> &'static [&'static Descriptor] {
    REGISTRY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(defaults: bool, named: &[(&str, bool)]) -> Result<Vec<&'static str>, Error> {
        let named = named
            .iter()
            .map(|(name, wanted)| ((*name).to_owned(), *wanted))
            .collect();
        let chosen = Selection { defaults, named }.resolve(REGISTRY, Some(Platform::Linux))?;
        Ok(chosen.iter().map(|descriptor| descriptor.name).collect())
    }

    #[test]
    fn defaults_and_names() {
        assert!(resolve(true, &[]).unwrap().contains(&"loadavg"));
        assert!(!resolve(true, &[("loadavg", false)]).unwrap().contains(&"loadavg"));
        assert_eq!(resolve(false, &[("loadavg", true)]).unwrap(), ["loadavg"]);
        assert!(resolve(true, &[("systemd", false)]).is_ok());
    }

    #[test]
    fn wrong_names_are_refused() {
        let error = resolve(true, &[("loadavgs", true)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownCollector);
        let message = error.to_string();
        assert!(
            message.contains("\"loadavgs\" is unknown, did you mean \"loadavg\"?"),
            "{message}"
        );
        assert!(message.contains("loadavg, mdadm"), "{message}");
        assert!(resolve(true, &[("loadavgs", false)]).is_err());
        let error = resolve(true, &[("systemd", true)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedCollector);
    }

    #[test]
    fn a_system_without_collectors_has_none() {
        assert!(Selection::default().resolve(REGISTRY, None).unwrap().is_empty());
    }

    #[test]
    fn the_registry_is_sorted_and_described() {
        assert!(REGISTRY.is_sorted_by(|one, other| one.name < other.name));
        for descriptor in REGISTRY {
            assert!(
                !descriptor.summary.is_empty() && descriptor.summary.ends_with('.'),
                "{}",
                descriptor.name
            );
            assert!(!descriptor.sources.is_empty(), "{}", descriptor.name);
            for option in descriptor.options {
                assert!(option.summary.ends_with('.'), "{}", option.name);
            }
        }
    }
}
