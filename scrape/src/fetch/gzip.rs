//! Inflates gzip bodies, with a bound on what comes out.
//!
//! Inflating is a large part of what a sample costs, so the usual body, one gzip member that says how long it is, goes
//! through libdeflate in one piece, three times as fast. All others, and those that turn out to be damaged, go through a decoder
//! that works bit by bit and says what is wrong.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::bufread::MultiGzDecoder;
use libdeflater::{Decompressor, crc32};

use crate::error::{Error, ErrorKind};

/// Compressed bodies that are larger are inflated on a thread of their own: they may become a thousand times as large, and
/// other scrapes must not wait for that.
const LARGE: usize = 128 << 10;

/// How much is inflated before it is looked whether anybody still waits.
const STEP: u64 = 1 << 20;

/// Bodies that say they are longer are inflated bit by bit.
const WHOLE: usize = 64 << 20;

/// The most that a body in one piece may become longer: expositions shrink to between a tenth and a twentieth. What says
/// that it becomes more gets memory only as far as it is true.
const GROWTH: usize = 50;

/// Inflates `encoded` into `out`, whose content before does not matter. More than `limit` bytes are an error, and no more than
/// one byte beyond is ever produced: a bomb costs no memory. Who drops the future stops the work.
pub(crate) async fn inflate(encoded: &mut Vec<u8>, limit: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    if encoded.len() <= LARGE {
        return inflate_while(encoded, limit, out, &AtomicBool::new(true));
    }
    let awaited = Awaited(Arc::new(AtomicBool::new(true)));
    let flag = Arc::clone(&awaited.0);
    let (source, mut target) = (std::mem::take(encoded), std::mem::take(out));
    let task = tokio::task::spawn_blocking(move || {
        let outcome = inflate_while(&source, limit, &mut target, &flag);
        (outcome, source, target)
    });
    let (outcome, source, target) = task
        .await
        .map_err(|error| Error::new(ErrorKind::Encoding, "inflating was given up").with_source(error))?;
    (*encoded, *out) = (source, target);
    outcome
}

/// Says that nobody waits any more when it is dropped.
struct Awaited(Arc<AtomicBool>);

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

fn inflate_while(encoded: &[u8], limit: usize, out: &mut Vec<u8>, awaited: &AtomicBool) -> Result<(), Error> {
    if in_one_piece(encoded, limit, out) {
        return Ok(());
    }
    bit_by_bit(encoded, limit, out, awaited)
}

/// False: this is not the usual body. Then `out` is without meaning.
fn in_one_piece(encoded: &[u8], limit: usize, out: &mut Vec<u8>) -> bool {
    let Some((_, &[c0, c1, c2, c3, l0, l1, l2, l3])) = encoded.split_last_chunk() else {
        return false;
    };
    let sum = u32::from_le_bytes([c0, c1, c2, c3]);
    let Ok(length) = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])) else {
        return false;
    };
    if length > limit.min(WHOLE).min(encoded.len().saturating_mul(GROWTH)) {
        return false;
    }
    // It is overwritten: bytes that were there before need not be made zero first.
    out.resize(length, 0);
    let whole = Decompressor::new()
        .gzip_decompress(encoded, out)
        .is_ok_and(|inflated| inflated == length);
    // A second member, or junk, may come behind the first: then the sum at the end is not that of the first.
    whole && crc32(out) == sum
}

fn bit_by_bit(encoded: &[u8], limit: usize, out: &mut Vec<u8>, awaited: &AtomicBool) -> Result<(), Error> {
    out.clear();
    // A buffer that served before is large enough.
    out.reserve(encoded.len().saturating_mul(8).min(limit).min(WHOLE));
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut body = MultiGzDecoder::new(encoded).take(bound);
    let damaged = |error| Error::new(ErrorKind::Encoding, "the gzip body is damaged").with_source(error);
    while body.by_ref().take(STEP).read_to_end(out).map_err(damaged)? > 0 {
        if !awaited.load(Ordering::Relaxed) {
            return Err(Error::new(
                ErrorKind::Timeout,
                "nobody waits for the body any more",
            ));
        }
    }
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

    fn inflate(encoded: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        inflate_while(encoded, limit, out, &AtomicBool::new(true))
    }

    #[tokio::test]
    async fn large_bodies_are_inflated_aside() {
        let text: Vec<u8> = (0..400_000_u32)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        let mut encoded = gzip(&text);
        assert!(encoded.len() > LARGE);
        let (before, mut out) = (encoded.clone(), Vec::new());
        super::inflate(&mut encoded, usize::MAX, &mut out)
            .await
            .expect("inflates");
        assert_eq!(out, text);
        assert_eq!(encoded, before, "the buffer is given back");
        let error = super::inflate(&mut encoded, text.len() - 1, &mut out)
            .await
            .expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::BodySize);
    }

    #[test]
    fn what_nobody_waits_for_is_given_up() {
        let encoded = gzip(&vec![b'\n'; 8 << 20]);
        let mut out = Vec::new();
        let error =
            inflate_while(&encoded, usize::MAX, &mut out, &AtomicBool::new(false)).expect_err("given up");
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(out.len() < 4 << 20, "{}", out.len());
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
    fn the_usual_body_goes_in_one_piece_and_what_may_not_does_not() {
        let text: Vec<u8> = (0..2000)
            .flat_map(|n| format!("m{n} {n}\n").into_bytes())
            .collect();
        let encoded = gzip(&text);
        let mut out = vec![b'x'; 7];
        assert!(in_one_piece(&encoded, text.len(), &mut out));
        assert_eq!(out, text);
        assert!(!in_one_piece(&encoded, text.len() - 1, &mut out), "the limit");

        let two = [&encoded[..], &gzip(b"n 2\n")[..]].concat();
        assert!(!in_one_piece(&two, 1 << 20, &mut out));
        // Two members of one length: only the sum tells.
        let other: Vec<u8> = text.iter().map(u8::to_ascii_uppercase).collect();
        let two = [encoded, gzip(&other)].concat();
        assert!(!in_one_piece(&two, 1 << 20, &mut out));
        inflate(&two, 1 << 20, &mut out).expect("two members");
        assert_eq!(out, [text, other].concat());
    }

    #[test]
    fn a_body_that_says_it_is_long_gets_no_memory_for_that() {
        let mut encoded = gzip(&b"m 1\n".repeat(100));
        let end = encoded.len() - 4;
        encoded[end..].copy_from_slice(&(60_u32 << 20).to_le_bytes());
        let mut out = Vec::new();
        let error = inflate(&encoded, 1 << 30, &mut out).expect_err("damaged");
        assert_eq!(error.kind(), ErrorKind::Encoding);
        assert!(out.capacity() < 1 << 16, "{}", out.capacity());
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
