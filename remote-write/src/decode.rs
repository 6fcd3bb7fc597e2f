//! What a receiver does with a request's body: snappy, then the message, both within limits.
//!
//! A body of a few kilobytes can stand for gigabytes, by snappy, by messages of two bytes that become structs of a hundred, and in 2.0 by
//! one long text that many series refer to. So the length that snappy announces is checked before there is room for it, the parts of a
//! message are counted before it is decoded, and the texts that it refers to before anybody writes them out.

mod parts;

use prost::Message;

use self::parts::Part;
use crate::{Error, ErrorKind, proto};

/// What a body may be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the message, decompressed. In 2.0 also those of all texts that its series refer to, each as often as it is referred to.
    pub message_bytes: usize,
    /// Parts of the message: series, labels, their texts, samples, exemplars, histograms, spans, symbols and families, and each eight
    /// numbers of a list, all together.
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
    decode(body, limits, "prometheus.WriteRequest", parts::V1)
}

/// Decodes the body of a remote write 2.0 request. Whether references are within the symbols is seen when they are looked up:
/// [`proto::v2::Request::labels`].
///
/// # Errors
/// As [`decode_v1`].
pub fn decode_v2(body: &[u8], limits: &Limits) -> Result<proto::v2::Request, Error> {
    let request: proto::v2::Request = decode(body, limits, "io.prometheus.write.v2.Request", parts::V2)?;
    let limit = limits.message_bytes;
    if bytes_referred_to(&request) > limit {
        return Err(refused(format!(
            "what the series refer to has more than {limit} bytes when it is written out"
        )));
    }
    Ok(request)
}

fn decode<M: Message + Default>(
    body: &[u8],
    limits: &Limits,
    name: &str,
    fields: &'static [(u64, Part)],
) -> Result<M, Error> {
    let message = decompress(body, limits.message_bytes)?;
    let mut left = limits.parts;
    if parts::count(&message, fields, &mut left).is_none() {
        let limit = limits.parts;
        return Err(refused(format!("the message has more than {limit} parts")));
    }
    M::decode(&*message).map_err(|error| refused(format!("the body is not a {name}: {error}")))
}

/// Bytes of all texts that are referred to. References beyond the symbols have none.
fn bytes_referred_to(request: &proto::v2::Request) -> usize {
    let text = |index: &u32| request.symbols.get(*index as usize).map_or(0, String::len);
    let texts = |refs: &[u32]| refs.iter().map(text).fold(0, usize::saturating_add);
    let of_series = |series: &proto::v2::TimeSeries| {
        let exemplars = series
            .exemplars
            .iter()
            .map(|exemplar| texts(&exemplar.labels_refs));
        let metadata = series
            .metadata
            .map_or(0, |metadata| texts(&[metadata.help_ref, metadata.unit_ref]));
        exemplars
            .fold(texts(&series.labels_refs), usize::saturating_add)
            .saturating_add(metadata)
    };
    request
        .timeseries
        .iter()
        .map(of_series)
        .fold(0, usize::saturating_add)
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
        // Thirty million references, of which each label takes two.
        let mut message = vec![0x0a];
        crate::encode::wire::varint(&mut message, 31 << 20);
        message.resize(message.len() + (31 << 20), 0);
        let mut refs = vec![0x2a];
        crate::encode::wire::varint(&mut refs, message.len() as u64);
        refs.extend(message);
        let refs = decode_v2(&snappy.compress_vec(&refs).unwrap(), &limits).unwrap_err();
        assert!(refs.to_string().contains("more than 1000000 parts"), "{refs}");
        error(b"\xff", limits, "not a snappy block");
        let few = Limits { parts: 3, ..limits };
        error(body(Version::V1).bytes(), few, "more than 3 parts");
        error(
            &snappy.compress_vec(b"\x0a\x05\x01").unwrap(),
            limits,
            "not a prometheus.WriteRequest",
        );
    }

    /// A body of some kilobytes whose labels, written out, would have hundred gigabytes.
    #[test]
    fn texts_are_counted_as_often_as_they_are_referred_to() {
        let series = |value: u32| proto::v2::TimeSeries {
            labels_refs: vec![1, 2, 3, value],
            ..proto::v2::TimeSeries::default()
        };
        let mut request = proto::v2::Request {
            symbols: vec![
                String::new(),
                "__name__".to_owned(),
                "m".repeat(1 << 20),
                "n".to_owned(),
            ],
            timeseries: Vec::new(),
        };
        request.symbols.extend((0..100_000).map(|n| n.to_string()));
        let decode = |request: &proto::v2::Request| {
            let body = snap::raw::Encoder::new()
                .compress_vec(&request.encode_to_vec())
                .unwrap();
            decode_v2(&body, &Limits::default()).map_err(|error| error.to_string())
        };
        request.timeseries.extend((4..34).map(series));
        assert_eq!(decode(&request), Ok(request.clone()));
        request.timeseries.extend((34..100_000).map(series));
        let too_many = "what the series refer to has more than 33554432 bytes when it is written out";
        assert_eq!(decode(&request).unwrap_err(), too_many);
        let described = |reference: u32| proto::v2::TimeSeries {
            metadata: Some(proto::v2::Metadata {
                help_ref: reference,
                ..proto::v2::Metadata::default()
            }),
            ..proto::v2::TimeSeries::default()
        };
        request.timeseries = (0..40).map(|_| described(2)).collect();
        assert_eq!(decode(&request).unwrap_err(), too_many);
        let exemplar = proto::v2::Exemplar {
            labels_refs: vec![3, 2],
            ..proto::v2::Exemplar::default()
        };
        request.timeseries = vec![proto::v2::TimeSeries {
            exemplars: vec![exemplar; 40],
            ..proto::v2::TimeSeries::default()
        }];
        assert_eq!(decode(&request).unwrap_err(), too_many);
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
