//! `xfrm`: faults of IPsec, `/proc/net/xfrm_stat` (Documentation/networking/xfrm_proc.rst).

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "xfrm",
    linux: Support::Off,
    macos: Support::Off,
    summary: "Packets that IPsec did not let pass, by reason.",
    sources: &["proc/net/xfrm_stat"],
    families: &["node_xfrm_*"],
    options: &[],
    build: |context| Ok(Box::new(Xfrm::new(context))),
};

/// Key of the file, family, HELP.
static COUNTERS: [(&str, &str, &str); 28] = [
    (
        "XfrmInError",
        "node_xfrm_in_error_packets_total",
        "All errors not matched by other",
    ),
    (
        "XfrmInBufferError",
        "node_xfrm_in_buffer_error_packets_total",
        "No buffer is left",
    ),
    (
        "XfrmInHdrError",
        "node_xfrm_in_hdr_error_packets_total",
        "Header error",
    ),
    (
        "XfrmInNoStates",
        "node_xfrm_in_no_states_packets_total",
        "No state is found i.e. Either inbound SPI, address, or IPsec protocol at SA is wrong",
    ),
    (
        "XfrmInStateProtoError",
        "node_xfrm_in_state_proto_error_packets_total",
        "Transformation protocol specific error e.g. SA key is wrong",
    ),
    (
        "XfrmInStateModeError",
        "node_xfrm_in_state_mode_error_packets_total",
        "Transformation mode specific error",
    ),
    (
        "XfrmInStateSeqError",
        "node_xfrm_in_state_seq_error_packets_total",
        "Sequence error i.e. Sequence number is out of window",
    ),
    (
        "XfrmInStateExpired",
        "node_xfrm_in_state_expired_packets_total",
        "State is expired",
    ),
    (
        "XfrmInStateMismatch",
        "node_xfrm_in_state_mismatch_packets_total",
        "State has mismatch option e.g. UDP encapsulation type is mismatch",
    ),
    (
        "XfrmInStateInvalid",
        "node_xfrm_in_state_invalid_packets_total",
        "State is invalid",
    ),
    (
        "XfrmInTmplMismatch",
        "node_xfrm_in_tmpl_mismatch_packets_total",
        "No matching template for states e.g. Inbound SAs are correct but SP rule is wrong",
    ),
    (
        "XfrmInNoPols",
        "node_xfrm_in_no_pols_packets_total",
        "No policy is found for states e.g. Inbound SAs are correct but no SP is found",
    ),
    (
        "XfrmInPolBlock",
        "node_xfrm_in_pol_block_packets_total",
        "Policy discards",
    ),
    (
        "XfrmInPolError",
        "node_xfrm_in_pol_error_packets_total",
        "Policy error",
    ),
    (
        "XfrmOutError",
        "node_xfrm_out_error_packets_total",
        "All errors which is not matched others",
    ),
    (
        "XfrmOutBundleGenError",
        "node_xfrm_out_bundle_gen_error_packets_total",
        "Bundle generation error",
    ),
    (
        "XfrmOutBundleCheckError",
        "node_xfrm_out_bundle_check_error_packets_total",
        "Bundle check error",
    ),
    (
        "XfrmOutNoStates",
        "node_xfrm_out_no_states_packets_total",
        "No state is found",
    ),
    (
        "XfrmOutStateProtoError",
        "node_xfrm_out_state_proto_error_packets_total",
        "Transformation protocol specific error",
    ),
    (
        "XfrmOutStateModeError",
        "node_xfrm_out_state_mode_error_packets_total",
        "Transformation mode specific error",
    ),
    (
        "XfrmOutStateSeqError",
        "node_xfrm_out_state_seq_error_packets_total",
        "Sequence error i.e. Sequence number overflow",
    ),
    (
        "XfrmOutStateExpired",
        "node_xfrm_out_state_expired_packets_total",
        "State is expired",
    ),
    (
        "XfrmOutPolBlock",
        "node_xfrm_out_pol_block_packets_total",
        "Policy discards",
    ),
    (
        "XfrmOutPolDead",
        "node_xfrm_out_pol_dead_packets_total",
        "Policy is dead",
    ),
    (
        "XfrmOutPolError",
        "node_xfrm_out_pol_error_packets_total",
        "Policy error",
    ),
    (
        "XfrmFwdHdrError",
        "node_xfrm_fwd_hdr_error_packets_total",
        "Forward routing of a packet is not allowed",
    ),
    (
        "XfrmOutStateInvalid",
        "node_xfrm_out_state_invalid_packets_total",
        "State is invalid, perhaps expired",
    ),
    (
        "XfrmAcquireError",
        "node_xfrm_acquire_error_packets_total",
        "State hasn’t been fully acquired before use",
    ),
];

struct Xfrm {
    path: KernelFile,
}

impl Xfrm {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: KernelFile::new(context.roots.proc("net/xfrm_stat")),
        }
    }
}

impl Collector for Xfrm {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let counts = parse(buffer.kept(&self.path)?)
            .map_err(|line| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
        for ((_, name, help), count) in COUNTERS.iter().zip(counts) {
            emit::counter(out, name, help, &[], count as f64);
        }
        Ok(Outcome::Data)
    }
}

/// The counters in order of the table; what the file lacks is 0.
fn parse(content: &[u8]) -> Result<[i64; 28], &[u8]> {
    let mut counts = [0; 28];
    for line in text::lines(content) {
        let mut words = text::fields(line);
        let (Some(key), Some(value), None) = (words.next(), words.next(), words.next()) else {
            return Err(line);
        };
        let value = text::signed(value).ok_or(line)?;
        if let Some(at) = COUNTERS.iter().position(|(known, ..)| known.as_bytes() == key) {
            counts[at] = value;
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str =
        "XfrmInError                     1\nXfrmAcquireError                24532\nXfrmNew 3\n";

    #[test]
    fn known_counters() {
        let host = Host::new(&[("proc/net/xfrm_stat", CONTENT)]);
        let samples = host.samples(&DESCRIPTOR);
        assert_eq!(samples.len(), 28);
        assert!(samples.contains(&"node_xfrm_acquire_error_packets_total 24532".to_owned()));
        assert!(samples.contains(&"node_xfrm_out_error_packets_total 0".to_owned()));
        assert!(parse(b"XfrmInError\n").is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }
}
