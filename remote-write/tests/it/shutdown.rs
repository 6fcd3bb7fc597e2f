//! The end: what is there is sent, within the deadline.

use std::time::Duration;

use ferroalloy_model::{Committed, ManualClock, Receiver as _};

use crate::receiver::{Answer, OK, Receiver};
use crate::source::Source;
use crate::{endpoint, writer, writer_at};

#[tokio::test]
async fn what_waits_for_more_is_sent() {
    let mut receiver = Receiver::start(|_| OK).await;
    let mut slow = endpoint(&receiver.url());
    slow.queue.batch_send_deadline = Duration::from_hours(1);
    let writer = writer([slow]);
    let source = Source::new("m", 2);
    drop(writer.accept(&source.at(1)));
    drop(writer.accept(&source.at(2)));
    assert_eq!(writer.shutdown(Duration::from_mins(1)).await, 0);
    assert_eq!(receiver.next().await.timestamps(), [1, 2, 1, 2]);
    assert_eq!(writer.accept(&source.at(3)).await, Committed::Refused);
}

#[tokio::test]
async fn a_dead_receiver_is_not_waited_for_longer_than_the_deadline() {
    let mut receiver = Receiver::start(|_| Answer::Hang).await;
    let clock = ManualClock::new(0);
    let writer = writer_at(&clock, [endpoint(&receiver.url())]);
    let source = Source::new("m", 3);
    drop(writer.accept(&source.at(1)));
    receiver.next().await;
    drop(writer.accept(&source.at(2)));
    // The request's own limit sleeps as well.
    let before = clock.sleepers();
    let (unsent, ()) = tokio::join!(writer.shutdown(Duration::from_secs(5)), async {
        clock.wait_for_sleepers(before + 1).await;
        // The endpoint has seen the second batch by the time it is told to end.
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(5));
    });
    assert_eq!(unsent, 6);
}
