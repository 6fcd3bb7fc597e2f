//! Inflates gzip bodies, with a bound on what comes out.

use std::io::Read as _;

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, ErrorKind};

/// Inflates `encoded` into `out`, which is emptied first. More than `limit` bytes are an error, and no more than
/// one byte beyond is ever produced: a bomb costs no memory.
pub(crate) fn inflate(encoded: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    out.clear();
    // Expositions shrink to between a tenth and a twentieth; a buffer that served before is large enough.
    out.reserve(encoded.len().saturating_mul(8).min(limit).min(64 << 20));
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(encoded)
        .take(bound)
        .read_to_end(out)
        .map_err(|error| Error::new(ErrorKind::Encoding, "the gzip body is damaged").with_source(error))?;
    if out.len() > limit {
        return Err(Error::new(
            ErrorKind::BodySize,
            "the decompressed body is larger than body_size_limit",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn whole_bodies_come_out_and_damaged_ones_do_not() {
        let text = b"m 1\n".repeat(1000);
        let encoded = gzip(&text);
        let mut out = b"old".to_vec();
        inflate(&encoded, text.len(), &mut out).expect("inflates");
        assert_eq!(out, text);
        inflate(&[&encoded[..], &gzip(b"n 2\n")[..]].concat(), 1 << 20, &mut out).expect("two members");
        assert!(out.ends_with(b"n 2\n"));

        let mut wrong_sum = encoded.clone();
        let end = wrong_sum.len();
        wrong_sum[end - 6] ^= 1;
        for damaged in [
            &encoded[..end - 1],
            &encoded[..20],
            &wrong_sum,
            &[&encoded[..], b"junk"].concat(),
            b"plain",
        ] {
            let error = inflate(damaged, 1 << 20, &mut out).expect_err("damaged");
            assert_eq!(error.kind(), ErrorKind::Encoding);
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let encoded = gzip(&vec![b'\n'; 4 << 20]);
        let mut out = Vec::new();
        let error = inflate(&encoded, 1 << 16, &mut out).expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::BodySize);
        assert!(out.capacity() <= 1 << 18, "{}", out.capacity());
    }
}
