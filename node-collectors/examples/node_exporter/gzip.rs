//! Compressing answers, with a state that is used again.

use flate2::{Compress, Compression, FlushCompress, Status};

/// The window of gzip, as a power of two.
const WINDOW: u8 = 15;

/// A compressor.
pub(crate) struct Gzip(Compress);

impl Gzip {
    pub(crate) fn new() -> Self {
        Self(Compress::new_gzip(Compression::fast(), WINDOW))
    }

    /// `body` as a gzip file; none if it cannot be compressed.
    pub(crate) fn compress(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        self.0.reset();
        let mut out = Vec::with_capacity(body.len() / 4 + 1024);
        loop {
            let read = usize::try_from(self.0.total_in()).ok()?;
            let rest = body.get(read..)?;
            match self.0.compress_vec(rest, &mut out, FlushCompress::Finish).ok()? {
                Status::StreamEnd => return Some(out),
                Status::Ok | Status::BufError => out.reserve(out.capacity().max(1024)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_state_serves_again() {
        let mut gzip = Gzip::new();
        let bodies = [
            Vec::new(),
            b"abc".repeat(100_000),
            (0..200_000_u32)
                .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
                .collect(),
        ];
        for body in &bodies {
            let packed = gzip.compress(body).unwrap();
            let mut back = Vec::new();
            flate2::read::GzDecoder::new(&*packed)
                .read_to_end(&mut back)
                .unwrap();
            assert!(&back == body);
        }
    }
}
