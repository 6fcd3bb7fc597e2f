//! The blocks that tell single collectors something, under Alloy's names.

use std::time::Duration;

use river_syntax::Block;

use crate::arguments::Search;
use crate::error::Error;

/// Declares the blocks, and for each attribute the option of node_exporter that it sets.
macro_rules! options {
    ($($(#[$block_doc:meta])* $block:ident: $type:ident {
        $($(#[$doc:meta])* $field:ident: $kind:ty => $flag:literal,)*
    })*) => {
        /// What single collectors are told.
        #[derive(Debug, Clone, PartialEq, Block)]
        pub(in super::super) struct OptionBlocks {
            $($(#[$block_doc])* #[river(block)] $block: Option<$type>,)*
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
                        let value = value.to_flag();
                        builder = builder.set($flag, &value).map_err(|error| Error::new(error.to_line()))?;
                    })*
                })*
                Ok(builder)
            }
        }
    };
}

/// A value as node_exporter's flags have it.
trait ToFlag {
    fn to_flag(&self) -> String;
}

impl ToFlag for bool {
    fn to_flag(&self) -> String {
        self.to_string()
    }
}

impl ToFlag for String {
    fn to_flag(&self) -> String {
        self.clone()
    }
}

impl ToFlag for Search {
    fn to_flag(&self) -> String {
        self.as_str().to_owned()
    }
}

impl ToFlag for Duration {
    fn to_flag(&self) -> String {
        river_syntax::format_duration(*self)
    }
}

options! {
    /// The collector `arp`.
    arp: Arp {
        /// Interfaces to leave out.
        device_exclude: Search => "arp.device-exclude",
        /// Interfaces to keep.
        device_include: Search => "arp.device-include",
        /// Whether the kernel is asked by netlink rather than read from procfs.
        netlink: bool => "arp.netlink",
    }
    /// The collector `cpu`.
    cpu: Cpu {
        /// Whether the time of guests is told apart.
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
}
