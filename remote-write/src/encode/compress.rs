//! Snappy's block format.

use bytes::Bytes;

/// The compressor, with the memory of the last block.
pub(crate) struct Compressor {
    snappy: snap::raw::Encoder,
    out: Vec<u8>,
}

// === impl Compressor ===

impl Compressor {
    /// Compresses `message`, which has less than 4 GiB.
    pub(crate) fn compress(&mut self, message: &[u8]) -> Bytes {
        let room = snap::raw::max_compress_len(message.len());
        if self.out.len() < room {
            self.out.resize(room, 0);
        }
        // The only error is a message of 4 GiB, which is far above what a request's samples make.
        let length = self.snappy.compress(message, &mut self.out).unwrap_or_default();
        Bytes::copy_from_slice(&self.out[..length])
    }

    /// Gives back memory beyond what a message of `bytes` needs.
    pub(crate) fn shrink_for(&mut self, bytes: usize) {
        self.out.truncate(snap::raw::max_compress_len(bytes));
        self.out.shrink_to_fit();
    }
}

impl Default for Compressor {
    fn default() -> Self {
        Self {
            snappy: snap::raw::Encoder::new(),
            out: Vec::new(),
        }
    }
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor")
            .field("room", &self.out.len())
            .finish_non_exhaustive()
    }
}
