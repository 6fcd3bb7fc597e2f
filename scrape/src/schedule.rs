//! When a target is scraped: on a grid in wall time, one place for each target, the same after a restart.
//!
//! Waiting goes by the elapsed clock, the grid by the wall clock. Invariants: scrapes of a target never overlap and
//! never come in bursts; whatever was missed (a scrape that overran, a machine that slept) is left out, and
//! the next scrape is on the grid again; when the wall clock is set, the grid is found anew.

use std::time::Duration;

use ferroalloy_model::clock::Clock;

/// Timestamps this close to the grid (or a hundredth of the interval, if that is less) are put on it, so that
/// their differences are constant and compress well.
const TOLERANCE: i64 = 2;

/// A wake-up this late means that the machine was asleep.
const ASLEEP: i64 = 5000;

/// The grid of one target. All times in milliseconds.
#[derive(Debug)]
pub(crate) struct Schedule {
    interval: i64,
    offset: i64,
    /// The next tick, by the wall clock and by the elapsed clock.
    next_wall: i64,
    next_elapsed: Duration,
}

/// A tick whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick {
    /// The timestamp of the scrape.
    pub(crate) time: i64,
    /// Ticks that were missed since the last one.
    pub(crate) missed: u64,
    /// The machine was asleep when it should have ticked.
    pub(crate) asleep: bool,
}

/// A target's place within its interval: FNV-1a of its labels' hash and its URL, mixed with the seed.
pub(crate) fn place(labels_hash: u64, url: &str, seed: u64, interval: Duration) -> Duration {
    let text = format!("{labels_hash:016}{url}");
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let interval = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).max(1);
    Duration::from_nanos((hash ^ seed) % interval)
}

impl Schedule {
    /// A grid of times that leave `offset` when divided by `interval`; the first tick is the next of them.
    pub(crate) fn new(clock: &dyn Clock, interval: Duration, offset: Duration) -> Self {
        let mut schedule = Self {
            interval: millis(interval).max(1),
            offset: millis(offset),
            next_wall: 0,
            next_elapsed: Duration::ZERO,
        };
        schedule.align(clock, 0);
        schedule
    }

    /// Finds the grid anew; the next tick is at least `least` away.
    fn align(&mut self, clock: &dyn Clock, least: i64) {
        let now = clock.wall();
        let wait = (self.offset - now - least).rem_euclid(self.interval) + least;
        self.next_wall = now + wait;
        self.next_elapsed = clock.elapsed() + duration(wait);
    }

    /// How long until the next tick.
    pub(crate) fn wait(&self, clock: &dyn Clock) -> Duration {
        self.next_elapsed.saturating_sub(clock.elapsed())
    }

    /// The interval.
    pub(crate) fn interval(&self) -> Duration {
        duration(self.interval)
    }

    /// Leaves out ticks that passed while a scrape was running; how many.
    pub(crate) fn skip(&mut self, clock: &dyn Clock) -> u64 {
        let late = millis(clock.elapsed().saturating_sub(self.next_elapsed));
        if late == 0 {
            return 0;
        }
        let missed = late / self.interval + 1;
        self.forward(missed);
        u64::try_from(missed).unwrap_or(0)
    }

    /// Takes the tick whose time has come.
    pub(crate) fn tick(&mut self, clock: &dyn Clock) -> Tick {
        let (wall, elapsed) = (clock.wall(), clock.elapsed());
        let late = millis(elapsed.saturating_sub(self.next_elapsed));
        let missed = late / self.interval;
        self.forward(missed);
        let tolerance = TOLERANCE.min(self.interval / 100);
        let ideal = self.next_wall;
        let set = wall - (ideal + late % self.interval);
        let time = if (wall - ideal).abs() <= tolerance {
            ideal
        } else {
            wall
        };
        self.forward(1);
        // Clocks are read one after another: a millisecond between them is nothing.
        if set.abs() > tolerance.max(1) {
            self.align(clock, 1);
        }
        Tick {
            time,
            missed: u64::try_from(missed).unwrap_or(0),
            asleep: late >= ASLEEP.min(self.interval),
        }
    }

    fn forward(&mut self, ticks: i64) {
        self.next_wall += ticks * self.interval;
        self.next_elapsed += duration(ticks * self.interval);
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::ManualClock;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);

    fn at(wall: i64) -> (ManualClock, Schedule) {
        let clock = ManualClock::new(wall);
        let schedule = Schedule::new(&clock, INTERVAL, Duration::from_secs(3));
        (clock, schedule)
    }

    #[test]
    fn ticks_are_on_the_grid() {
        let (clock, mut schedule) = at(1_001_000);
        assert_eq!(schedule.wait(&clock), Duration::from_secs(2));
        for time in [1_003_000, 1_013_000, 1_023_000] {
            // A timer that is a little late does not show.
            clock.advance(schedule.wait(&clock) + Duration::from_millis(2));
            assert_eq!(
                schedule.tick(&clock),
                Tick {
                    time,
                    missed: 0,
                    asleep: false
                }
            );
        }
        clock.advance(schedule.wait(&clock) + Duration::from_millis(7));
        assert_eq!(schedule.tick(&clock).time, 1_033_007);
        assert_eq!(schedule.wait(&clock), Duration::from_millis(9_993));
    }

    #[test]
    fn what_a_long_scrape_covers_is_left_out() {
        let (clock, mut schedule) = at(1_003_000);
        schedule.tick(&clock);
        assert_eq!(schedule.skip(&clock), 0);
        clock.advance(Duration::from_secs(25));
        assert_eq!(schedule.skip(&clock), 2);
        clock.advance(schedule.wait(&clock));
        assert_eq!(
            schedule.tick(&clock),
            Tick {
                time: 1_033_000,
                missed: 0,
                asleep: false
            }
        );
    }

    #[test]
    fn after_a_sleep_there_is_one_tick_and_then_the_grid() {
        let (clock, mut schedule) = at(1_003_000);
        schedule.tick(&clock);
        clock.advance(Duration::from_hours(1));
        assert_eq!(
            schedule.tick(&clock),
            Tick {
                time: 4_603_000,
                missed: 359,
                asleep: true
            }
        );
        assert_eq!(schedule.wait(&clock), INTERVAL);
        clock.advance(Duration::from_secs(17));
        assert_eq!(
            schedule.tick(&clock),
            Tick {
                time: 4_620_000,
                missed: 0,
                asleep: true
            }
        );
        assert_eq!(schedule.wait(&clock), Duration::from_secs(3));
    }

    #[test]
    fn a_clock_that_is_set_moves_the_grid_and_not_the_pace() {
        let (clock, mut schedule) = at(1_003_000);
        schedule.tick(&clock);
        clock.advance(INTERVAL);
        clock.set_wall(9_999_999);
        assert_eq!(schedule.tick(&clock).time, 9_999_999);
        assert_eq!(schedule.wait(&clock), Duration::from_millis(3_001));
        clock.advance(Duration::from_millis(3_001));
        assert_eq!(schedule.tick(&clock).time, 10_003_000);
        clock.advance(INTERVAL);
        clock.set_wall(5_000_000);
        assert_eq!(schedule.tick(&clock).time, 5_000_000);
        assert_eq!(schedule.wait(&clock), Duration::from_secs(3));
    }

    #[test]
    fn places_are_stable_and_within_the_interval() {
        let one = place(1, "http://a/metrics", 0, INTERVAL);
        assert_eq!(one, place(1, "http://a/metrics", 0, INTERVAL));
        assert_ne!(one, place(2, "http://a/metrics", 0, INTERVAL));
        assert_ne!(one, place(1, "http://a/metrics", 99, INTERVAL));
        let places: Vec<_> = (0..1000)
            .map(|n| place(n, "http://a/metrics", 0, INTERVAL))
            .collect();
        assert!(places.iter().all(|place| *place < INTERVAL));
        // Spread evenly: each tenth of the interval has about a tenth of the targets.
        for tenth in 0..10 {
            let within = places.iter().filter(|place| place.as_secs() == tenth).count();
            assert!((60..140).contains(&within), "{within} in tenth {tenth}");
        }
    }
}
