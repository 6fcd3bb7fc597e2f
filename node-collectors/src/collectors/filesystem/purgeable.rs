//! Space that macOS would free for what its user cannot do without, asked for beside the scrapes.
//!
//! The call goes to a daemon, takes tens of milliseconds for each volume and may hang; node_exporter's scrape hangs with
//! it. Here a thread asks all volumes at most every [`INTERVAL`], and a scrape takes what was answered last. A call that
//! hangs costs this one thread, and the values of all volumes once they are older than [`STALE`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::macos::devices::FreeSpace;

/// Least time between two rounds.
const INTERVAL: Duration = Duration::from_secs(10);
/// Age at which values are no longer given.
const STALE: Duration = Duration::from_mins(5);

/// Bytes by mount point.
pub(super) type Values = BTreeMap<String, f64>;

pub(super) struct Purgeable<S> {
    source: Arc<S>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    round: Option<JoinHandle<Values>>,
    /// When the last round began.
    begun: Option<Duration>,
    values: Values,
    /// When the round began that gave them.
    from: Duration,
}

impl<S: FreeSpace> Purgeable<S> {
    pub(super) fn new(source: S) -> Self {
        Self {
            source: Arc::new(source),
            state: Mutex::default(),
        }
    }

    /// What is known of the volumes at time `now`. A round for `volumes` is begun if it is time for one.
    pub(super) fn known(&self, volumes: impl IntoIterator<Item = String>, now: Duration) -> Values {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.finish();
        let due = state
            .begun
            .is_none_or(|begun| now.saturating_sub(begun) >= INTERVAL);
        if state.round.is_none() && due {
            let (source, volumes): (_, Vec<String>) =
                (Arc::clone(&self.source), volumes.into_iter().collect());
            let ask = move || {
                let answers = volumes.into_iter();
                answers
                    .filter_map(|volume| {
                        let bytes = source.important_usage(&volume)?;
                        // -1 and 0 stand for "not available".
                        (bytes > 0.0).then_some((volume, bytes))
                    })
                    .collect()
            };
            // Without a thread there are no values.
            state.round = thread::Builder::new()
                .name("free space".to_owned())
                .spawn(ask)
                .ok();
            state.begun = Some(now);
        }
        if now.saturating_sub(state.from) > STALE {
            state.values.clear();
        }
        state.values.clone()
    }

    /// Waits until the round is over, if one is under way.
    #[cfg(test)]
    pub(super) fn settle(&self) {
        while let Some(false) = {
            let state = self.state.lock().unwrap();
            state.round.as_ref().map(JoinHandle::is_finished)
        } {
            thread::yield_now();
        }
    }
}

impl State {
    /// Takes over what a round that is over has found.
    fn finish(&mut self) {
        if self.round.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(round) = self.round.take()
        {
            self.values = round.join().unwrap_or_default();
            self.from = self.begun.unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Answers when told what.
    struct Told(Mutex<Receiver<Option<f64>>>);

    impl FreeSpace for Told {
        fn important_usage(&self, _: &str) -> Option<f64> {
            self.0.lock().unwrap().recv().unwrap_or(None)
        }
    }

    fn told() -> (Sender<Option<f64>>, Purgeable<Told>) {
        let (answer, answers) = channel();
        (answer, Purgeable::new(Told(Mutex::new(answers))))
    }

    fn volumes() -> [String; 2] {
        ["/".to_owned(), "/System/Volumes/Data".to_owned()]
    }

    #[test]
    fn a_scrape_takes_what_the_last_round_found() {
        let (answer, purgeable) = told();
        let at = Duration::from_secs;
        assert!(purgeable.known(volumes(), at(100)).is_empty());
        answer.send(Some(5e9)).unwrap();
        answer.send(Some(-1.0)).unwrap();
        purgeable.settle();
        assert_eq!(
            purgeable.known(volumes(), at(101)),
            Values::from([("/".to_owned(), 5e9)])
        );
        // The next round is begun by a scrape when it is due, and gives its values to the one after.
        assert_eq!(purgeable.known(volumes(), at(110)).len(), 1);
        answer.send(Some(4e9)).unwrap();
        answer.send(Some(3e9)).unwrap();
        purgeable.settle();
        assert_eq!(purgeable.known(volumes(), at(111)).len(), 2);
    }

    #[test]
    fn a_call_that_hangs_holds_up_nothing_and_its_values_age() {
        let (answer, purgeable) = told();
        let at = Duration::from_secs;
        purgeable.known(volumes(), at(0));
        answer.send(Some(5e9)).unwrap();
        answer.send(None).unwrap();
        purgeable.settle();
        for seconds in [10, 20, 300] {
            assert_eq!(purgeable.known(volumes(), at(seconds)).len(), 1, "{seconds}");
        }
        assert!(purgeable.known(volumes(), at(301)).is_empty());
        // It answers after all.
        answer.send(Some(6e9)).unwrap();
        answer.send(None).unwrap();
        purgeable.settle();
        assert_eq!(purgeable.known(volumes(), at(302)).len(), 1);
    }
}
