//! Texts that a file has again and again, such as the names of attributes, each kept once: the second time costs a
//! reference count and no allocation.

use std::sync::Arc;

/// Longer texts hardly come twice.
const LONGEST: usize = 64;

/// A table with one place for each hash. Who comes later takes the place, so it neither grows nor degenerates.
pub(super) struct Names {
    places: Vec<Place>,
}

#[derive(Clone)]
struct Place {
    /// Beside the text, so that another text is told without looking at this one.
    hash: u64,
    text: Option<Arc<str>>,
}

impl Names {
    /// A table for a text of that many bytes.
    pub(super) fn new(length: usize) -> Names {
        let places = (length / 64).next_power_of_two().clamp(16, 1024);
        Names {
            places: vec![Place { hash: 0, text: None }; places],
        }
    }

    pub(super) fn get(&mut self, text: &str) -> Arc<str> {
        if text.len() > LONGEST {
            return Arc::from(text);
        }
        let hash = hash(text.as_bytes());
        // The upper bits are mixed best; any of them will do on a 32-bit machine too.
        let at = usize::try_from(hash >> 40).unwrap_or_default() & (self.places.len() - 1);
        let Some(place) = self.places.get_mut(at) else {
            return Arc::from(text);
        };
        match &place.text {
            Some(known) if place.hash == hash && **known == *text => Arc::clone(known),
            _ => {
                place.hash = hash;
                Arc::clone(place.text.insert(Arc::from(text)))
            }
        }
    }
}

/// Fast and good enough for a table in which a collision costs no more than an allocation.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = chunk.try_into().map_or(0, u64::from_le_bytes);
        state = (state.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    }
    for &byte in chunks.remainder() {
        state = (state.rotate_left(5) ^ u64::from(byte)).wrapping_mul(FACTOR);
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one() {
        let mut names = Names::new(1 << 16);
        let first = names.get("scrape_interval");
        assert!(Arc::ptr_eq(&first, &names.get("scrape_interval")));
        let long = "x".repeat(100);
        assert_eq!(*names.get(&long), *long);
        for index in 0..5_000 {
            let text = format!("name_{index}");
            assert_eq!(*names.get(&text), *text);
        }
    }
}
