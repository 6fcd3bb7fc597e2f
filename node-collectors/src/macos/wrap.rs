//! Counters that the kernel gives with 32 bits, continued beyond: the total only ever grows.

/// A counter of which the kernel gives the low 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Extended {
    total: u64,
}

impl Extended {
    /// A counter that stands at `total`.
    pub(crate) fn new(total: u64) -> Self {
        Self { total }
    }

    /// Goes on to the next total that ends in `low`, and gives it. A counter that seems to have fallen by
    /// `slack` at most has not wrapped but was rounded or read early: it stays where it was.
    pub(crate) fn advance(&mut self, low: u32, slack: u32) -> u64 {
        #[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
        let last = self.total as u32;
        if last.wrapping_sub(low) > slack {
            self.total = self.total.saturating_add(u64::from(low.wrapping_sub(last)));
        }
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn passes_the_end_of_32_bits() {
        let mut counter = Extended::new(u64::from(u32::MAX) - 1);
        assert_eq!(counter.advance(u32::MAX, 0), u64::from(u32::MAX));
        assert_eq!(counter.advance(4, 0), (1 << 32) + 4);
        assert_eq!(counter.advance(4, 0), (1 << 32) + 4);
        assert_eq!(counter.advance(3, 0), (2 << 32) + 3);
    }

    #[test]
    fn a_small_step_back_is_no_wrap() {
        let mut counter = Extended::new((7 << 32) + 100);
        assert_eq!(counter.advance(0, 100), (7 << 32) + 100);
        assert_eq!(counter.advance(101, 100), (7 << 32) + 101);
        let mut at_wrap = Extended::new(7 << 32);
        assert_eq!(at_wrap.advance(u32::MAX, 1), 7 << 32);
    }

    proptest! {
        #[test]
        fn follows_any_counter_that_is_read_often_enough(
            start: u32,
            steps in prop::collection::vec(0..u32::MAX - 1000, 0..20),
        ) {
            let mut truth = u64::from(start);
            let mut counter = Extended::new(truth);
            for step in steps {
                truth += u64::from(step);
                prop_assert_eq!(counter.advance((truth & 0xffff_ffff).try_into().unwrap(), 1000), truth);
            }
        }
    }
}
