//! Which sources' kinds, help texts and units a receiver of 2.0 has lately been told. They stand beside the samples of a whole batch, now and
//! then: beside every sample they would be a twelfth of what is sent.

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::RandomState;

use super::lanes::LaneId;

/// When the receiver was last told of each lane's series.
#[derive(Debug, Default)]
pub(super) struct Told {
    last: HashMap<LaneId, Duration, RandomState>,
    /// With so many lanes, those that are gone are looked for.
    tidy_at: usize,
}

impl Told {
    /// Whether the batch that is begun at `now` is to say it, which is noted. A lane is told of every `interval`.
    pub(super) fn is_due(&mut self, lane: LaneId, now: Duration, interval: Duration) -> bool {
        let recent = |last: Duration| now.saturating_sub(last) < interval;
        if self.last.get(&lane).is_some_and(|last| recent(*last)) {
            return false;
        }
        if self.last.len() >= self.tidy_at {
            self.last.retain(|_, last| recent(*last));
            self.tidy_at = self.last.len() * 2 + 64;
        }
        self.last.insert(lane, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lane_is_told_of_at_intervals_and_forgotten_after() {
        let mut told = Told::default();
        let interval = Duration::from_mins(1);
        let mut at = |lane, seconds| {
            let due = told.is_due(lane, Duration::from_secs(seconds), interval);
            (due, told.last.len())
        };
        assert_eq!(
            [at(1, 0), at(2, 30), at(1, 59)],
            [(true, 1), (true, 2), (false, 2)]
        );
        assert_eq!([at(1, 60), at(2, 60)], [(true, 2), (false, 2)]);
        let most = (100..1000).map(|n| at(n, n * 60).1).max();
        assert_eq!(most, Some(64));
    }
}
