//! What Alloy has otherwise by default than node_exporter, from whose defaults the collectors start.

use node_collectors::{Builder, Platform};

use super::options::OptionBlocks;
use crate::error::Error;

/// Where supervisord answers, if nothing else is said.
const SUPERVISORD: &str = "SUPERVISORD_URL";

/// Options of Linux, as Alloy has them.
const LINUX: &[(&str, &str)] = &[
    ("arp.netlink", "false"),
    ("cpu.guest", "false"),
    (
        "filesystem.fs-types-exclude",
        "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$",
    ),
    (
        "filesystem.mount-points-exclude",
        "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+)($|/)",
    ),
    ("netdev.netlink", "false"),
    (
        "netstat.fields",
        "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts)|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$",
    ),
];
const DISKS: (&str, &str) = (
    "diskstats.device-exclude",
    r"^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$",
);

/// Sets them. On macOS both have the same.
pub(super) fn apply(mut builder: Builder, blocks: &OptionBlocks) -> Result<Builder, Error> {
    if Platform::current() == Some(Platform::Linux) {
        // Which disks to leave out is only said where it is not said which to give.
        let disks = (!blocks.names_disks()).then_some(&DISKS);
        for (option, value) in LINUX.iter().chain(disks) {
            builder = set(builder, option, value)?;
        }
    }
    match std::env::var(SUPERVISORD) {
        Ok(url) if !url.is_empty() => set(builder, "supervisord.url", &url),
        _ => Ok(builder),
    }
}

fn set(builder: Builder, option: &str, value: &str) -> Result<Builder, Error> {
    builder
        .set(option, value)
        .map_err(|error| Error::new(error.to_line()))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use node_collectors::NodeCollectors;

    use super::*;

    fn given(text: &str) -> Builder {
        let mut sources = river_syntax::SourceMap::new();
        let source = sources.add("t.alloy", text);
        let (file, faults) = river_syntax::parse(&source);
        assert!(faults.is_empty(), "{faults:?}");
        let blocks: OptionBlocks = river_syntax::decode_body(file.body(), &river_syntax::EmptyScope).unwrap();
        let builder = apply(NodeCollectors::builder(), &blocks).unwrap();
        blocks.apply(builder).unwrap()
    }

    fn has(builder: &Builder, wanted: &[(&str, &str)]) -> bool {
        let mut same = builder.clone();
        for (option, value) in wanted {
            same = same.set(option, value).unwrap();
        }
        same == *builder
    }

    #[test]
    fn what_is_given_comes_before_the_defaults() {
        let plain = given("");
        assert!(plain.clone().build().is_ok());
        assert!(has(&plain, LINUX) && has(&plain, &[DISKS]));
        // A block that says something else leaves the rest as it is.
        let changed = given(
            "cpu {\n info = true\n}\nfilesystem {\n mount_timeout = \"1s\"\n}\narp {\n netlink = true\n}\n",
        );
        assert!(has(&changed, &LINUX[1..]) && !has(&changed, &LINUX[..1]));
        assert!(has(
            &changed,
            &[("cpu.info", "true"), ("filesystem.mount-timeout", "1s")]
        ));
    }

    #[test]
    fn named_disks_and_no_labels_take_the_place_of_the_defaults() {
        assert!(given("disk {\n device_include = \"^sda$\"\n}\n").build().is_ok());
        assert!(
            given("disk {\n device_include = \"a\"\n device_exclude = \"b\"\n}\n")
                .build()
                .is_err()
        );
        assert_eq!(given("ipvs {\n backend_labels = []\n}\n"), given(""));
    }
}
