//! `udp_queues`: bytes that wait in UDP sockets, summed over `/proc/net/udp` and `udp6`.

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "udp_queues",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Bytes in the send and receive queues of UDP sockets.",
    sources: &["proc/net/udp", "proc/net/udp6"],
    families: &["node_udp_queues"],
    options: &[],
    build: |context| Ok(Box::new(UdpQueues::new(context))),
};

struct UdpQueues {
    /// Label value and file.
    files: [(&'static str, KernelFile); 2],
}

impl UdpQueues {
    fn new(context: &Context<'_>) -> Self {
        Self {
            files: [("v4", "net/udp"), ("v6", "net/udp6")]
                .map(|(ip, path)| (ip, KernelFile::new(context.roots.proc(path)))),
        }
    }
}

impl Collector for UdpQueues {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let mut outcome = Outcome::NoData;
        let help = "Number of allocated memory in the kernel for UDP datagrams in bytes.";
        let mut family = out.family("node_udp_queues", help, MetricKind::Gauge);
        for (ip, path) in &self.files {
            let Some(content) = buffer.kept_optional(path)? else {
                continue;
            };
            let (transmit, receive) = parse(content)
                .map_err(|line| Error::parse(path, format_args!("bad line {:?}", text::utf8(line))))?;
            family.sample(&[("ip", ip), ("queue", "tx")], transmit as f64);
            family.sample(&[("ip", ip), ("queue", "rx")], receive as f64);
            outcome = Outcome::Data;
        }
        Ok(outcome)
    }
}

/// The sums of the fifth column, `tx:rx` in hexadecimal, below a heading.
fn parse(content: &[u8]) -> Result<(u64, u64), &[u8]> {
    let mut sums = (0_u64, 0_u64);
    for line in text::lines(content).skip(1) {
        let queues = text::fields(line)
            .nth(4)
            .and_then(|word| text::split_once(word, b':'));
        let (transmit, receive) = queues.ok_or(line)?;
        sums.0 = sums.0.wrapping_add(text::hexadecimal(transmit).ok_or(line)?);
        sums.1 = sums.1.wrapping_add(text::hexadecimal(receive).ok_or(line)?);
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr\n   0: 00000000:0016 00000000:0000 0A 00000015:00000001 00:00000000 00000000\n";

    #[test]
    fn sums() {
        let host = Host::new(&[]);
        let collector = host.collector(&DESCRIPTOR, |_| ()).unwrap();
        assert_eq!(collector.update(&mut Families::new()).unwrap(), Outcome::NoData);
        host.write("proc/net/udp6", CONTENT);
        let expected = [
            "node_udp_queues{ip=\"v6\",queue=\"rx\"} 1",
            "node_udp_queues{ip=\"v6\",queue=\"tx\"} 21",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        assert!(parse(b"heading\n0: a b c\n").is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }
}
