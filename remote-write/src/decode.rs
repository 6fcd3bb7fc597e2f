//! What a receiver does with a request's body: snappy, then the message, both within limits.
//!
//! A body of a few kilobytes can stand for gigabytes, by snappy and again by messages of two bytes that become structs of a hundred. So the
//! length that snappy announces is checked before there is room for it, and the parts of a message are counted before it is decoded.

use prost::Message;

use crate::encode::wire::read_varint;
use crate::{Error, ErrorKind, proto};

/// What a body may be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the message, decompressed.
    pub message_bytes: usize,
    /// Parts of the message: series, labels, samples, exemplars, histograms, spans, symbols and families, all together.
    pub parts: usize,
}

impl Default for Limits {
    /// 32 MiB, as Prometheus has it, and a million parts: some fifty times what senders put into a request.
    fn default() -> Self {
        Self {
            message_bytes: 32 << 20,
            parts: 1_000_000,
        }
    }
}

/// Decodes the body of a remote write 1.0 request.
///
/// # Errors
/// [`ErrorKind::Refused`], when the body is not a snappy block, does not hold such a message, or is beyond a limit.
pub fn decode_v1(body: &[u8], limits: &Limits) -> Result<proto::WriteRequest, Error> {
    decode(body, limits, "prometheus.WriteRequest")
}

/// Decodes the body of a remote write 2.0 request. Whether references are within the symbols is seen when they are looked up:
/// [`proto::v2::Request::labels`].
///
/// # Errors
/// As [`decode_v1`].
pub fn decode_v2(body: &[u8], limits: &Limits) -> Result<proto::v2::Request, Error> {
    decode(body, limits, "io.prometheus.write.v2.Request")
}

fn decode<M: Message + Default>(body: &[u8], limits: &Limits, name: &str) -> Result<M, Error> {
    let message = decompress(body, limits.message_bytes)?;
    let mut parts = limits.parts;
    if count(&message, DEPTH, &mut parts).is_none() {
        let limit = limits.parts;
        return Err(refused(format!("the message has more than {limit} parts")));
    }
    M::decode(&*message).map_err(|error| refused(format!("the body is not a {name}: {error}")))
}

/// Undoes snappy's block format; what it announces may have `limit` bytes.
fn decompress(body: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    let length = snap::raw::decompress_len(body)
        .map_err(|error| refused(format!("the body is not a snappy block: {error}")))?;
    if length > limit {
        return Err(refused(format!(
            "the message would have {length} bytes, the limit is {limit}"
        )));
    }
    snap::raw::Decoder::new()
        .decompress_vec(body)
        .map_err(|error| refused(format!("the body is not a snappy block: {error}")))
}

/// Series, exemplar or histogram, label or span: messages are not nested deeper.
const DEPTH: u32 = 3;

/// Takes the number of length-delimited fields off `left`. `None` when there are more. A text may look like a message and count for some
/// more, at most half as many as it has bytes. What does not look like a message is left to the
/// decoder, which knows what it should be.
fn count(mut bytes: &[u8], depth: u32, left: &mut usize) -> Option<()> {
    while !bytes.is_empty() {
        let Some((tag, at)) = read_varint(bytes, 0) else {
            return Some(());
        };
        let end = match tag & 7 {
            0 => read_varint(bytes, at).map(|(_, end)| end),
            1 => at.checked_add(8),
            5 => at.checked_add(4),
            2 => {
                *left = left.checked_sub(1)?;
                let field = read_varint(bytes, at).and_then(|(length, start)| {
                    let end = start.checked_add(usize::try_from(length).ok()?)?;
                    Some((bytes.get(start..end)?, end))
                });
                if let Some((inside, _)) = field
                    && depth > 1
                {
                    count(inside, depth - 1, left)?;
                }
                field.map(|(_, end)| end)
            }
            _ => None,
        };
        let Some(rest) = end.and_then(|end| bytes.get(end..)) else {
            return Some(());
        };
        bytes = rest;
    }
    Some(())
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Refused, message)
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::Labels;
    use proptest::prelude::*;

    use super::*;
    use crate::{Encoder, Version};

    fn body(version: Version) -> crate::Body {
        let mut encoder = Encoder::for_version(version);
        for name in ["a", "b"] {
            encoder.sample(&Labels::from_pairs([("__name__", name), ("job", "j")]), 5, 1.5);
        }
        encoder.finish()
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let limits = Limits::default();
        let message = decode_v1(body(Version::V1).bytes(), &limits).unwrap();
        assert_eq!(message.timeseries[1].labels[0].value, "b");
        let message = decode_v2(body(Version::V2).bytes(), &limits).unwrap();
        let labels = message.labels(&message.timeseries[1].labels_refs).unwrap();
        assert_eq!(labels.get("__name__"), Some("b"));
        assert_eq!(message.labels(&[9, 9]), None);
        assert_eq!(message.labels(&[1]), None);
    }

    #[track_caller]
    fn error(body: &[u8], limits: Limits, words: &str) {
        let error = decode_v1(body, &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.to_string().contains(words), "{error}");
    }

    #[test]
    fn bombs_do_not_go_off() {
        let limits = Limits::default();
        // Four gigabytes announced.
        error(
            &[0xff, 0xff, 0xff, 0xff, 0x0f, 0],
            limits,
            "would have 4294967295 bytes",
        );
        let mut snappy = snap::raw::Encoder::new();
        // Sixteen million empty series in under two megabytes.
        let series = snappy.compress_vec(&[0x0a, 0].repeat(16 << 20)).unwrap();
        error(&series, limits, "more than 1000000 parts");
        let labels = [0x0a, 0].repeat(2_000_000);
        let mut message = vec![0x0a];
        crate::encode::wire::varint(&mut message, labels.len() as u64);
        message.extend(labels);
        error(
            &snappy.compress_vec(&message).unwrap(),
            limits,
            "more than 1000000 parts",
        );
        error(b"\xff", limits, "not a snappy block");
        let few = Limits { parts: 3, ..limits };
        error(body(Version::V1).bytes(), few, "more than 3 parts");
        error(
            &snappy.compress_vec(b"\x0a\x05\x01").unwrap(),
            limits,
            "not a prometheus.WriteRequest",
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let limits = Limits::default();
            let wrapped = snap::raw::Encoder::new().compress_vec(&bytes).unwrap();
            for body in [&bytes, &wrapped] {
                drop(decode_v1(body, &limits));
                drop(decode_v2(body, &limits));
            }
        }
    }
}
