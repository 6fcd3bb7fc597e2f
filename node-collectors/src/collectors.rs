//! The registry: one line for each collector, in order of name, declares its module and lists its descriptor.
//! `name: Options` is a collector with options.

use crate::collector::Descriptor;

macro_rules! collectors {
    ($($(#[$attribute:meta])* $name:ident $(: $options:ident)?,)*) => {
        $($(#[$attribute])* pub mod $name;)*

        /// Every collector of this build, in order of name.
        pub(crate) static REGISTRY: &[&Descriptor] = &[$($(#[$attribute])* &$name::DESCRIPTOR,)*];

        /// The options of all collectors, one field for each that has any.
        #[derive(Debug, Clone, Default, PartialEq)]
        #[non_exhaustive]
        pub struct Options {
            $($(
                #[doc = concat!("Options of the collector `", stringify!($name), "`.")]
                pub $name: $name::$options,
            )?)*
        }

        /// Whether the options of the collector `name` are the same in both.
        pub(crate) fn same_options(name: &str, one: &Options, other: &Options) -> bool {
            match name {
                $($(stringify!($name) => {
                    let (one, other): (&$name::$options, &$name::$options) = (&one.$name, &other.$name);
                    one == other
                })?)*
                _ => true,
            }
        }
    };
}

collectors! {
    arp: Options,
    battery,
    bcache: Options,
    bcachefs,
    bonding,
    boottime,
    btrfs,
    buddyinfo,
    cgroups,
    conntrack,
    cpu: Options,
    cpu_perflevels,
    cpu_residency,
    cpu_vulnerabilities,
    cpufreq,
    diskstats: Options,
    dmi,
    dmmultipath,
    drbd,
    drm,
    edac,
    energy,
    entropy,
    fibrechannel,
    filefd,
    filesystem: Options,
    gpu,
    hwmon: Options,
    infiniband: Options,
    interrupts: Options,
    ipvs: Options,
    kernel_hung,
    ksmd,
    launchd: Options,
    lnstat,
    loadavg,
    mdadm,
    meminfo,
    meminfo_numa,
    memory_pressure,
    mountstats,
    netclass: Options,
    netdev: Options,
    netstat: Options,
    network_route,
    nfs,
    nfsd,
    ntp: Options,
    nvme,
    nvme_smart,
    nvmesubsystem,
    os,
    pcidevice: Options,
    powersupplyclass: Options,
    pressure,
    processes,
    qdisc: Options,
    rapl: Options,
    runit: Options,
    schedstat,
    selinux,
    slabinfo: Options,
    smc,
    sockstat,
    softirqs,
    softnet,
    stat: Options,
    supervisord: Options,
    swap,
    sysctl: Options,
    tapestats: Options,
    tcpstat,
    textfile: Options,
    thermal,
    thermal_pressure,
    thermal_zone,
    time,
    timex,
    udp_queues,
    uname,
    vmstat: Options,
    watchdog,
    wifi: Options,
    xfrm,
    xfs,
    zfs,
    zoneinfo,
}
