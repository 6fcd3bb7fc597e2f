//! The blocks that tell single collectors something, under Alloy's names.

use std::time::Duration;

use river_syntax::{Block, Invalid};

use super::flags::{Flags, Labels};
use super::refused::{Ethtool, Perf, Systemd};
use crate::arguments::Search;
use crate::error::Error;

/// Declares the blocks, and for each attribute the option of node_exporter that it sets.
macro_rules! options {
    ($($(#[$block_doc:meta])* $block:ident: $type:ident {
        $($(#[$doc:meta])* $field:ident: $kind:ty => $flag:literal,)*
    })*) => {
        /// What single collectors are told.
        #[derive(Debug, Clone, PartialEq, Block)]
        #[river(validate = OptionBlocks::refuse)]
        pub(in super::super) struct OptionBlocks {
            $($(#[$block_doc])* #[river(block)] $block: Option<$type>,)*
            /// Refused: there is no collector `ethtool`.
            #[river(block)]
            ethtool: Option<Ethtool>,
            /// Refused: there is no collector `perf`.
            #[river(block)]
            perf: Option<Perf>,
            /// Refused: there is no collector `systemd`.
            #[river(block)]
            systemd: Option<Systemd>,
        }

        $($(#[$block_doc])*
        #[derive(Debug, Clone, PartialEq, Block)]
        struct $type {
            $($(#[$doc])* $field: Option<$kind>,)*
        })*

        impl OptionBlocks {
            /// Sets what is given.
            pub(super) fn apply(&self, mut builder: node_collectors::Builder) -> Result<node_collectors::Builder, Error> {
                $(if let Some(block) = &self.$block {
                    $(if let Some(value) = &block.$field {
                        for value in value.flags() {
                            builder = builder.set($flag, &value).map_err(|error| Error::new(error.to_line()))?;
                        }
                    })*
                })*
                Ok(builder)
            }
        }
    };
}

impl OptionBlocks {
    /// Whether the disks to give are named.
    pub(super) fn names_disks(&self) -> bool {
        self.disk
            .as_ref()
            .is_some_and(|disk| disk.device_include.is_some())
    }

    /// A collector that does not exist has nothing to be told.
    fn refuse(&self) -> Result<(), Invalid> {
        let refused = [
            (self.ethtool.is_some(), "ethtool"),
            (self.perf.is_some(), "perf"),
            (self.systemd.is_some(), "systemd"),
        ];
        match refused.iter().find(|(given, _)| *given) {
            Some((_, name)) => Err(Invalid::field(
                *name,
                format!("Alloy's collector {name:?} does not exist in Ferroalloy"),
            )),
            None => Ok(()),
        }
    }
}

options! {
    /// The collector `arp`.
    arp: Arp {
        /// Interfaces to leave out.
        device_exclude: Search => "arp.device-exclude",
        /// Interfaces to keep.
        device_include: Search => "arp.device-include",
        /// Whether the kernel is asked by netlink rather than read from procfs; not by default.
        netlink: bool => "arp.netlink",
    }
    /// The collector `bcache`.
    bcache: Bcache {
        /// Whether the statistics of priorities are given, which are costly.
        priority_stats: bool => "bcache.priorityStats",
    }
    /// The collector `cpu`.
    cpu: Cpu {
        /// Whether the time of guests is told apart; not by default.
        guest: bool => "cpu.guest",
        /// Whether `node_cpu_info` is given.
        info: bool => "cpu.info",
        /// Which bugs of `/proc/cpuinfo` are given.
        bugs_include: Search => "cpu.info.bugs-include",
        /// Which flags of `/proc/cpuinfo` are given.
        flags_include: Search => "cpu.info.flags-include",
    }
    /// The collector `diskstats`.
    disk: Disk {
        /// Devices to leave out.
        device_exclude: Search => "diskstats.device-exclude",
        /// Devices to keep.
        device_include: Search => "diskstats.device-include",
    }
    /// The collector `filesystem`.
    filesystem: Filesystem {
        /// File system types to leave out.
        fs_types_exclude: Search => "filesystem.fs-types-exclude",
        /// Mount points to leave out.
        mount_points_exclude: Search => "filesystem.mount-points-exclude",
        /// How long a mount may take to answer.
        mount_timeout: Duration => "filesystem.mount-timeout",
    }
    /// The collector `hwmon`.
    hwmon: Hwmon {
        /// Chips to keep.
        chip_include: Search => "hwmon.chip-include",
        /// Chips to leave out.
        chip_exclude: Search => "hwmon.chip-exclude",
    }
    /// The collector `ipvs`.
    ipvs: Ipvs {
        /// The labels that tell backends apart, all if none is named; backends that are alike in them are added up.
        backend_labels: Labels => "ipvs.backend-labels",
    }
    /// The collector `netclass`.
    netclass: Netclass {
        /// Whether devices that tell no valid speed are left without one.
        ignore_invalid_speed_device: bool => "netclass.ignore-invalid-speed",
        /// Interfaces to leave out.
        ignored_devices: Search => "netclass.ignored-devices",
    }
    /// The collector `netdev`.
    netdev: Netdev {
        /// Whether the addresses of interfaces are given.
        address_info: bool => "netdev.address-info",
        /// Interfaces to leave out.
        device_exclude: Search => "netdev.device-exclude",
        /// Interfaces to keep.
        device_include: Search => "netdev.device-include",
    }
    /// The collector `netstat`.
    netstat: Netstat {
        /// Which fields are given.
        fields: Search => "netstat.fields",
    }
    /// The collector `ntp`.
    ntp: Ntp {
        /// The server to ask, an address of this host unless `server_is_local`.
        server: String => "ntp.server",
        /// Whether the server is on this host, whatever its address.
        server_is_local: bool => "ntp.server-is-local",
        /// NTP's version, 2 to 4.
        protocol_version: u32 => "ntp.protocol-version",
        /// How many hops the query may go, 1 to 255.
        ip_ttl: u32 => "ntp.ip-ttl",
        /// Root distance up to which the server counts as sane.
        max_distance: Duration => "ntp.max-distance",
        /// Difference of the clocks of one host that counts as none.
        local_offset_tolerance: Duration => "ntp.local-offset-tolerance",
    }
    /// The collector `powersupplyclass`.
    powersupply: PowerSupply {
        /// Power supplies to leave out.
        ignored_supplies: Search => "powersupply.ignored-supplies",
    }
    /// The collector `runit`.
    runit: Runit {
        /// The folder with the services.
        service_dir: String => "runit.servicedir",
    }
    /// The collector `supervisord`.
    supervisord: Supervisord {
        /// Where supervisord answers: `http://host:port/path` or `unix:///path`. Else where `SUPERVISORD_URL` in the environment says.
        url: String => "supervisord.url",
    }
    /// The collector `sysctl`.
    sysctl: Sysctl {
        /// Parameters with numbers to give, each `name` or `name:column,column`.
        include: Vec<String> => "sysctl.include",
        /// Parameters with words to give.
        include_info: Vec<String> => "sysctl.include-info",
    }
    /// The collector `tapestats`.
    tapestats: Tapestats {
        /// Tape drives to leave out.
        ignored_devices: Search => "tapestats.ignored-devices",
    }
    /// The collector `textfile`.
    textfile: Textfile {
        /// The folder whose `*.prom` files are read.
        directory: String => "textfile.directory",
    }
    /// The collector `vmstat`.
    vmstat: Vmstat {
        /// Which fields of `/proc/vmstat` are given.
        fields: Search => "vmstat.fields",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> OptionBlocks {
        let mut sources = river_syntax::SourceMap::new();
        let source = sources.add("t.alloy", text);
        let (file, faults) = river_syntax::parse(&source);
        assert!(faults.is_empty(), "{faults:?}");
        river_syntax::decode_body(file.body(), &river_syntax::EmptyScope).unwrap()
    }

    #[test]
    fn every_argument_is_an_option_of_its_collector() {
        for (block, attributes) in [
            ("arp", "device_exclude = \"a\"\nnetlink = false"),
            ("arp", "device_include = \"a\""),
            (
                "cpu",
                "guest = false\ninfo = true\nbugs_include = \"a\"\nflags_include = \"b\"",
            ),
            ("bcache", "priority_stats = true"),
            ("ipvs", "backend_labels = [\"proto\"]"),
            ("disk", "device_exclude = \"a\""),
            ("disk", "device_include = \"a\""),
            (
                "filesystem",
                "fs_types_exclude = \"a\"\nmount_points_exclude = \"b\"\nmount_timeout = \"3s\"",
            ),
            ("hwmon", "chip_exclude = \"a\"\nchip_include = \"b\""),
            (
                "netclass",
                "ignore_invalid_speed_device = true\nignored_devices = \"a\"",
            ),
            ("netdev", "address_info = true\ndevice_exclude = \"a\""),
            ("netdev", "device_include = \"a\""),
            ("netstat", "fields = \"a\""),
            (
                "ntp",
                "server = \"192.0.2.1\"\nserver_is_local = true\nprotocol_version = 3\nip_ttl = 2\n\
                 max_distance = \"3s\"\nlocal_offset_tolerance = \"5ms\"",
            ),
            ("powersupply", "ignored_supplies = \"a\""),
            ("runit", "service_dir = \"/x\""),
            ("supervisord", "url = \"http://localhost:1/RPC2\""),
            ("sysctl", "include = [\"a\", \"b:c,d\"]\ninclude_info = [\"e\"]"),
            ("tapestats", "ignored_devices = \"a\""),
            ("textfile", "directory = \"/x\""),
            ("vmstat", "fields = \"a\""),
        ] {
            let options = decode(&format!("{block} {{\n{attributes}\n}}\n"));
            let built = options
                .apply(node_collectors::NodeCollectors::builder())
                .map(node_collectors::Builder::build);
            assert!(matches!(built, Ok(Ok(_))), "{block}: {built:?}");
        }
    }

    #[test]
    fn values_reach_their_collectors() {
        let options = decode(
            "ipvs {\n backend_labels = [\"proto\", \"local_port\"]\n}\n\
             sysctl {\n include = [\"a\", \"b:c,d\"]\n include_info = [\"e\"]\n}\n\
             ntp {\n ip_ttl = 2\n max_distance = \"1m30s\"\n local_offset_tolerance = \"5ms\"\n}\n\
             bcache {\n priority_stats = true\n}\n",
        );
        let given = options.apply(node_collectors::NodeCollectors::builder()).unwrap();
        let expected = node_collectors::NodeCollectors::builder().configure(|options| {
            "proto,local_port".clone_into(&mut options.ipvs.backend_labels);
            options.sysctl.include = vec!["a".to_owned(), "b:c,d".to_owned()];
            options.sysctl.include_info = vec!["e".to_owned()];
            options.ntp.ip_ttl = 2;
            options.ntp.max_distance = Duration::from_secs(90);
            options.ntp.local_offset_tolerance = Duration::from_millis(5);
            options.bcache.priority_stats = true;
        });
        assert_eq!(given, expected);
    }

    #[test]
    fn what_the_collector_would_refuse_is_refused() {
        for text in [
            "ipvs {\n backend_labels = [\"port\"]\n}\n",
            "ntp {\n ip_ttl = 256\n}\n",
            "ntp {\n server = \"192.0.2.1\"\n}\n",
        ] {
            let builder = decode(text)
                .apply(node_collectors::NodeCollectors::builder().only(["ipvs", "ntp"]))
                .unwrap();
            assert!(builder.build().is_err(), "{text}");
        }
    }
}
