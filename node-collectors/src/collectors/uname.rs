//! `uname`: names of the system as uname(2) gives them.

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "uname",
    linux: Support::On,
    macos: Support::On,
    summary: "System information as provided by the uname system call.",
    sources: &["uname(2)"],
    families: &["node_uname_info"],
    options: &[],
    build: |_| Ok(Box::new(Uname)),
};

struct Uname;

impl Collector for Uname {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let names = nix::sys::utsname::uname().map_err(|error| Error::system("uname", error))?;
        let text = |name: &std::ffi::OsStr| text::utf8(name.as_encoded_bytes()).into_owned();
        let node = text(names.nodename());
        #[cfg(target_os = "linux")]
        let (node, domain) = (node.as_str(), &*text(names.domainname()));
        #[cfg(not(target_os = "linux"))]
        let (node, domain) = split_host(&node);
        emit(
            &Names {
                system: &text(names.sysname()),
                release: &text(names.release()),
                version: &text(names.version()),
                machine: &text(names.machine()),
                node,
                domain,
            },
            out,
        );
        Ok(Outcome::Data)
    }
}

struct Names<'a> {
    system: &'a str,
    release: &'a str,
    version: &'a str,
    machine: &'a str,
    node: &'a str,
    domain: &'a str,
}

fn emit(names: &Names<'_>, out: &mut Families) {
    out.family(
        "node_uname_info",
        "Labeled system information as provided by the uname system call.",
        MetricKind::Gauge,
    )
    .sample(
        &[
            ("domainname", names.domain),
            ("machine", names.machine),
            ("nodename", names.node),
            ("release", names.release),
            ("sysname", names.system),
            ("version", names.version),
        ],
        1.0,
    );
}

/// Where the system keeps no domain apart: the host name's parts before and after the first dot.
#[cfg(any(not(target_os = "linux"), test))]
fn split_host(host: &str) -> (&str, &str) {
    host.split_once('.').unwrap_or((host, "(none)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::lines;

    #[test]
    fn host_and_domain() {
        assert_eq!(split_host("mac.example.org"), ("mac", "example.org"));
        assert_eq!(split_host("mac"), ("mac", "(none)"));
    }

    #[test]
    fn one_series_of_this_host() {
        let mut out = Families::new();
        Uname.update(&mut out).unwrap();
        let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
        let node = format!("nodename=\"{}\"", host.split('.').next().unwrap());
        let lines = lines(&out);
        assert!(
            lines[0].starts_with("node_uname_info{domainname=\"")
                && lines[0].contains(&node[..node.len() - 1])
        );
    }
}
