//! Order, whatever the receiver does.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};

use ferroalloy_model::Receiver as _;
use tokio::sync::{Notify, oneshot};

use crate::receiver::{Answer, OK, Receiver};
use crate::source::Source;
use crate::{endpoint, writer};

#[derive(Default)]
struct Seen {
    /// The newest timestamp of each series that was taken.
    newest: HashMap<String, i64>,
    under_way: HashMap<String, usize>,
    taken: usize,
}

#[tokio::test]
async fn samples_of_a_series_stay_in_order() {
    const SOURCES: usize = 12;
    const SERIES: usize = 5;
    const ROUNDS: i64 = 40;
    let seen = Arc::new(Mutex::new(Seen::default()));
    let done = Arc::new(Notify::new());
    let random = RandomState::new();
    let (records, finished) = (seen.clone(), done.clone());
    let receiver = Receiver::start(move |request| {
        let dice = random.hash_one(request.index);
        let series: Vec<_> = request
            .message()
            .timeseries
            .iter()
            .flat_map(|series| {
                let name = &series.labels[0].value;
                let times = series.samples.iter().map(|sample| sample.timestamp);
                times.map(|time| (name.clone(), time)).collect::<Vec<_>>()
            })
            .collect();
        let mut seen = records.lock().unwrap();
        for (name, _) in &series {
            *seen.under_way.entry(name.clone()).or_default() += 1;
        }
        let in_request = series.iter().filter(|(name, _)| *name == series[0].0).count();
        assert!(
            seen.under_way[&series[0].0] <= in_request,
            "two requests under way have {}",
            series[0].0
        );
        drop(seen);
        let (answer, when) = oneshot::channel();
        let (records, finished) = (records.clone(), finished.clone());
        tokio::spawn(async move {
            for _ in 0..dice % 50 {
                tokio::task::yield_now().await;
            }
            let taken = dice % 3 != 0;
            let mut seen = records.lock().unwrap();
            for (name, timestamp) in series {
                *seen.under_way.get_mut(&name).unwrap() -= 1;
                if taken {
                    let last = seen.newest.insert(name.clone(), timestamp);
                    assert!(
                        last.is_none_or(|last| last < timestamp),
                        "{name}: {timestamp} after {last:?}"
                    );
                    seen.taken += 1;
                }
            }
            let _client_gone = answer.send(if taken { 204 } else { 503 });
            if seen.taken >= SOURCES * SERIES * usize::try_from(ROUNDS).unwrap() {
                finished.notify_one();
            }
        });
        Answer::When(when)
    })
    .await;
    let mut endpoint = endpoint(&receiver.url());
    endpoint.queue.max_samples_per_send = 12;
    endpoint.queue.max_shards = 6;
    let writer = writer([endpoint]);
    let sources: Vec<_> = (0..SOURCES)
        .map(|n| Source::new(&format!("s{n}"), SERIES))
        .collect();
    for timestamp in 1..=ROUNDS {
        for source in &sources {
            drop(writer.accept(&source.at(timestamp)));
        }
        tokio::task::yield_now().await;
    }
    done.notified().await;
    let seen = seen.lock().unwrap();
    assert_eq!(seen.newest.len(), SOURCES * SERIES);
    assert!(seen.newest.values().all(|newest| *newest == ROUNDS));
    assert_eq!(
        seen.taken,
        SOURCES * SERIES * usize::try_from(ROUNDS).unwrap(),
        "each sample is taken once"
    );
}

#[tokio::test]
async fn a_dead_endpoint_costs_the_other_nothing() {
    let mut dead = Receiver::start(|_| Answer::Hang).await;
    let mut alive = Receiver::start(|_| OK).await;
    let writer = writer([endpoint(&dead.url()), endpoint(&alive.url())]);
    let source = Source::new("m", 1);
    for timestamp in 1..=20 {
        drop(writer.accept(&source.at(timestamp)));
        assert_eq!(alive.next().await.timestamps(), [timestamp]);
    }
    assert_eq!(dead.next().await.timestamps(), [1]);
    assert!(dead.is_quiet());
    let status = &writer.status()[0];
    assert!(
        status.pending_samples >= 19 && status.oldest_unsent.is_some(),
        "{status:?}"
    );
}
