//! Inflates gzip bodies, with a bound on what comes out.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, ErrorKind};

/// Compressed bodies that are larger are inflated on a thread of their own: they may become a thousand times as large, and
/// other scrapes must not wait for that.
const LARGE: usize = 128 << 10;

/// How much is inflated before it is looked whether anybody still waits.
const STEP: u64 = 1 << 20;

/// Inflates `encoded` into `out`, which is emptied first. More than `limit` bytes are an error, and no more than
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
    out.clear();
    // Expositions shrink to between a tenth and a twentieth; a buffer that served before is large enough.
    out.reserve(encoded.len().saturating_mul(8).min(limit).min(64 << 20));
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
    fn a_bomb_stops_at_the_limit() {
        let encoded = gzip(&vec![b'\n'; 4 << 20]);
        let mut out = Vec::new();
        let error = inflate(&encoded, 1 << 16, &mut out).expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::BodySize);
        assert!(out.capacity() <= 1 << 18, "{}", out.capacity());
    }
}
