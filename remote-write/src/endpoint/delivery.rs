//! One request, from its first try to its end: taken, refused for good, or too old.
//!
//! Invariant: every try sends the same bytes, but for a request that is too large for its receiver, which is sent in halves. What may be tried again is tried until it ends, with the settings in force at that time,
//! so that a changed URL or password serves what is under way too.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ferroalloy_model::Clock;
use http::StatusCode;
use tokio::sync::watch;

use super::backoff::Backoff;
use super::throttle::Throttle;
use crate::client::{Client, Failure};
use crate::config::Endpoint;
use crate::encode::Body;
use crate::metrics::EndpointMetrics;
use crate::queue::DropReason;
use crate::status::Board;

/// A receiver that finds this many samples too large is not asked to take fewer.
const SPLIT_DOWN_TO: usize = 16;

/// What an endpoint works with until it is configured anew.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) endpoint: Endpoint,
    pub(crate) client: Client,
    pub(crate) stage: Arc<crate::view::Stage>,
    pub(crate) max_age: Duration,
}

/// What the requests of an endpoint share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: EndpointMetrics,
    pub(crate) board: Board,
    /// How often this endpoint's troubles are logged.
    pub(crate) throttle: Throttle,
}

/// A request that is sent until it ends.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) body: Body,
    /// When its newest batch was accepted.
    pub(super) queued: Duration,
    /// The time of its newest sample.
    pub(super) newest: Option<i64>,
}

/// What became of a body.
enum End {
    /// The receiver took it.
    Taken,
    /// It was refused or is too old, and counted as that.
    Dropped,
    /// The receiver finds it too large.
    TooLarge(Failure),
}

/// Sends `delivery` until it ends, one way or another. What the receiver finds too large is sent in halves, one after the other.
pub(super) async fn deliver(
    delivery: Delivery,
    shared: Arc<Shared>,
    mut settings: watch::Receiver<Arc<Settings>>,
) {
    let mut bodies = vec![delivery.body.clone()];
    while let Some(body) = bodies.pop() {
        let failure = match send(&body, delivery.queued, &shared, &mut settings).await {
            End::Taken => {
                let newest = delivery.newest.unwrap_or_default();
                shared.metrics.newest_sent.fetch_max(newest, Ordering::Relaxed);
                continue;
            }
            End::Dropped => continue,
            End::TooLarge(failure) => failure,
        };
        match body.halves().filter(|_| body.samples() > SPLIT_DOWN_TO) {
            Some((first, second)) => bodies.extend([second, first]),
            None => shared.refused(&settings.borrow().endpoint, &failure, body.samples()),
        }
    }
}

async fn send(
    body: &Body,
    queued: Duration,
    shared: &Shared,
    settings: &mut watch::Receiver<Arc<Settings>>,
) -> End {
    let samples = body.samples() as u64;
    let metrics = &shared.metrics;
    let mut backoff = Backoff::new();
    let mut retries = 0;
    loop {
        let current = settings.borrow_and_update().clone();
        let age = shared.clock.elapsed().saturating_sub(queued);
        if age > current.age_limit() {
            metrics.dropped(DropReason::TooOld, samples);
            return End::Dropped;
        }
        metrics.samples.fetch_add(samples, Ordering::Relaxed);
        metrics
            .exemplars
            .fetch_add(body.exemplars as u64, Ordering::Relaxed);
        metrics
            .bytes
            .fetch_add(body.bytes().len() as u64, Ordering::Relaxed);
        let start = shared.clock.elapsed();
        let result = current.client.attempt(body, retries).await;
        metrics.observe(shared.clock.elapsed().saturating_sub(start));
        let failure = match result {
            Ok(()) => {
                metrics.delivered.fetch_add(samples, Ordering::Relaxed);
                shared.healed(&current.endpoint);
                return End::Taken;
            }
            Err(failure) => failure,
        };
        if failure.status == Some(StatusCode::PAYLOAD_TOO_LARGE) {
            return End::TooLarge(failure);
        }
        if !failure.error.is_retryable() {
            shared.refused(&current.endpoint, &failure, body.samples());
            return End::Dropped;
        }
        metrics.retried.fetch_add(samples, Ordering::Relaxed);
        retries += 1;
        let wait = backoff.wait(&current.endpoint.queue, failure.error.kind(), failure.retry_after);
        shared.failing(&current.endpoint, &failure, wait);
        tokio::select! {
            () = shared.clock.sleep(wait) => {}
            // The new settings may be the remedy.
            Ok(()) = settings.changed() => {}
        }
    }
}

// === impl Settings ===

impl Settings {
    /// Samples that have waited longer are not sent.
    pub(super) fn age_limit(&self) -> Duration {
        match self.endpoint.queue.sample_age_limit {
            Duration::ZERO => self.max_age,
            limit => limit.min(self.max_age),
        }
    }
}

// === impl Shared ===

impl Shared {
    fn healed(&self, endpoint: &Endpoint) {
        if !self.board.is_healthy() {
            tracing::info!(endpoint = endpoint.display_name(), "remote write works again");
        }
        self.board.answered();
    }

    fn failing(&self, endpoint: &Endpoint, failure: &Failure, wait: Duration) {
        let reason = failure.error.to_string();
        let news = self.board.failing(self.clock.wall(), &reason);
        if let Some(unsaid) = self.throttle.pass(self.clock.elapsed(), news) {
            tracing::warn!(
                endpoint = endpoint.display_name(),
                err = reason,
                retry_in = ?wait,
                unsaid,
                "remote write fails and is repeated"
            );
        }
    }

    fn refused(&self, endpoint: &Endpoint, failure: &Failure, samples: usize) {
        let reason = failure.error.to_string();
        let status = failure.status.map_or(0, |status| status.as_u16());
        self.metrics.refused(status, samples as u64);
        self.board.answered();
        self.board
            .refused(self.clock.wall(), failure.status, &reason, samples);
        if let Some(unsaid) = self.throttle.pass(self.clock.elapsed(), false) {
            tracing::error!(
                endpoint = endpoint.display_name(),
                err = reason,
                samples,
                unsaid,
                "the receiver refused samples for good, they are dropped"
            );
        }
    }
}
