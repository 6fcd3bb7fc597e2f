//! One request, from its first try to its end: taken, refused for good, or too old.
//!
//! Invariant: every try sends the same bytes, but for a request that its receiver finds too large, refuses or does not understand: it is sent
//! in halves, or as 1.0. What may be tried again is tried until it ends, with the settings in force at that time,
//! so that a changed URL or password serves what is under way too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ferroalloy_model::clock::timeout;
use ferroalloy_model::{Clock, Commit};
use http::StatusCode;
use tokio::sync::watch;

use super::backoff::Backoff;
use super::search::Searches;
use super::throttle::Throttle;
use crate::ErrorKind;
use crate::client::{Client, Failure, Written};
use crate::config::Endpoint;
use crate::encode::{Body, Version};
use crate::metrics::EndpointMetrics;
use crate::queue::DropReason;
use crate::status::Board;

/// A receiver that finds this many samples too large is not asked to take fewer.
const SPLIT_DOWN_TO: usize = 16;

/// How long a receiver is sent 1.0 before it is asked again whether it takes 2.0.
const ASK_AGAIN_AFTER: Duration = Duration::from_hours(24);

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
    /// Until when 1.0 is sent whatever is configured, in seconds on the elapsed clock.
    pub(crate) speaks_v1_until: AtomicU64,
    /// How much is spent on finding what a receiver refuses.
    pub(crate) search: Searches,
}

/// A request that is sent until it ends.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) body: Body,
    /// When its newest batch was accepted.
    pub(super) queued: Duration,
    /// The time of its newest sample.
    pub(super) newest: Option<i64>,
    /// An earlier run of the process has begun to send it: it may have been taken already.
    pub(super) again: bool,
}

/// How long a request waits until it is noted that it is sent. A disk that is slower does not hold up sending; what it costs is that a
/// crash in that time may have the samples sent twice.
const NOTED_WITHIN: Duration = Duration::from_secs(1);

/// What became of a body.
enum End {
    /// The receiver took it, or at least said what of it.
    Taken,
    /// It is too old, and counted as that.
    Dropped,
    /// The receiver finds it too large.
    TooLarge(Failure),
    /// The receiver refuses it for good.
    Refused(Failure),
    /// The receiver does not know the message.
    NotSpoken(Failure),
}

/// Sends `delivery` until it ends, one way or another. What the receiver finds too large is sent in halves, one after the other; so is
/// what it refuses, until what it refuses is alone or enough was tried.
pub(super) async fn deliver(
    delivery: Delivery,
    noted: Option<Commit>,
    shared: Arc<Shared>,
    mut settings: watch::Receiver<Arc<Settings>>,
) {
    if let Some(noted) = noted {
        let _slow_disk = timeout(&*shared.clock, NOTED_WITHIN, noted).await;
    }
    let mut bodies = vec![delivery.body.clone()];
    let mut search = shared.search.begin();
    let mut unsure = delivery.again;
    while let Some(body) = bodies.pop() {
        let now = settings.borrow().clone();
        let Some(body) = shared.as_spoken(body, &now.endpoint) else {
            continue;
        };
        let end = send(&body, delivery.queued, &mut unsure, &shared, &mut settings).await;
        let (failure, halves) = match end {
            End::Taken => {
                search.found();
                let newest = delivery.newest.unwrap_or_default();
                shared.metrics.newest_sent.fetch_max(newest, Ordering::Relaxed);
                continue;
            }
            End::Dropped => continue,
            End::NotSpoken(failure) => {
                shared.downgrade(&now.endpoint, &failure);
                bodies.push(body);
                continue;
            }
            End::TooLarge(failure) => {
                let halves = body.halves(false).filter(|_| body.counts.size() > SPLIT_DOWN_TO);
                (failure, halves)
            }
            End::Refused(failure) => {
                let worth_it = failure.status == Some(StatusCode::BAD_REQUEST)
                    && failure.written.is_none()
                    && now.endpoint.queue.bisect_refused;
                let by_time = failure.is_about_time();
                let halves = body.halves(by_time).filter(|_| worth_it && search.split());
                (failure, halves)
            }
        };
        match halves {
            Some((first, second)) => bodies.extend([second, first]),
            None if unsure && failure.status == Some(StatusCode::BAD_REQUEST) => {
                shared.perhaps_taken(&now.endpoint, &failure, &body);
            }
            None => shared.refused(&now.endpoint, &failure, &body),
        }
    }
    shared.search.end(&search);
}

async fn send(
    body: &Body,
    queued: Duration,
    unsure: &mut bool,
    shared: &Shared,
    settings: &mut watch::Receiver<Arc<Settings>>,
) -> End {
    let metrics = &shared.metrics;
    let mut backoff = Backoff::new();
    let mut retries = 0;
    loop {
        let current = settings.borrow_and_update().clone();
        let age = shared.clock.elapsed().saturating_sub(queued);
        if age > current.age_limit() {
            metrics.dropped(DropReason::TooOld, body.counts.points() as u64);
            return End::Dropped;
        }
        metrics.tried.add(body);
        metrics
            .bytes
            .fetch_add(body.bytes().len() as u64, Ordering::Relaxed);
        let start = shared.clock.elapsed();
        let result = current.client.attempt(body, retries).await;
        metrics.observe(shared.clock.elapsed().saturating_sub(start));
        let failure = match result {
            Ok(written) => {
                shared.written(&current.endpoint, body, written);
                return End::Taken;
            }
            Err(failure) => failure,
        };
        if failure.status == Some(StatusCode::PAYLOAD_TOO_LARGE) {
            return End::TooLarge(failure);
        }
        if failure.error.kind() == ErrorKind::VersionNotSpoken {
            return End::NotSpoken(failure);
        }
        if !failure.error.is_retryable() {
            return End::Refused(failure);
        }
        *unsure |= failure.may_have_been_taken();
        metrics.retried.add(body);
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

    /// The receiver took a request, or a part of it.
    fn written(&self, endpoint: &Endpoint, body: &Body, written: Written) {
        let sent = Written::all_of(body);
        self.delivered(sent, written);
        self.healed(endpoint);
        let missing = sent.without(written);
        if missing.points() > 0 {
            let reason = format!(
                "{} wrote {} of {} samples and does not say why",
                endpoint.display_name(),
                written.points(),
                sent.points()
            );
            self.dropped_by_receiver(endpoint, None, &reason, missing);
        } else {
            // Many receivers have no place for exemplars, and are none the worse for it.
            self.metrics.refused(0, missing);
        }
    }

    fn refused(&self, endpoint: &Endpoint, failure: &Failure, body: &Body) {
        let (sent, written) = (Written::all_of(body), failure.written.unwrap_or_default());
        self.delivered(sent, written);
        self.board.answered();
        let refused = sent.without(written);
        self.dropped_by_receiver(endpoint, failure.status, &failure.error.to_string(), refused);
    }

    /// The receiver refuses what it was sent once before without an answer: most likely because it has it.
    fn perhaps_taken(&self, endpoint: &Endpoint, failure: &Failure, body: &Body) {
        let samples = body.counts.points() as u64;
        self.metrics
            .perhaps_delivered
            .fetch_add(samples, Ordering::Relaxed);
        self.board.answered();
        if let Some(unsaid) = self.throttle.pass(self.clock.elapsed(), false) {
            tracing::warn!(
                endpoint = endpoint.display_name(),
                err = failure.error.to_string(),
                samples,
                unsaid,
                "the receiver refuses samples that it may have already, they are not sent again"
            );
        }
    }

    fn delivered(&self, sent: Written, written: Written) {
        let points = written.points().min(sent.points());
        self.metrics.delivered.fetch_add(points, Ordering::Relaxed);
    }

    fn dropped_by_receiver(
        &self,
        endpoint: &Endpoint,
        status: Option<StatusCode>,
        reason: &str,
        dropped: Written,
    ) {
        self.metrics
            .refused(status.map_or(0, |status| status.as_u16()), dropped);
        let samples = dropped.points();
        let shown = usize::try_from(samples).unwrap_or(usize::MAX);
        self.board.refused(self.clock.wall(), status, reason, shown);
        if let Some(unsaid) = self.throttle.pass(self.clock.elapsed(), false) {
            tracing::error!(
                endpoint = endpoint.display_name(),
                err = reason,
                samples,
                exemplars = dropped.exemplars,
                unsaid,
                "the receiver refused samples for good, they are dropped"
            );
        }
    }

    /// The message that the endpoint is sent at present.
    pub(super) fn version_for(&self, endpoint: &Endpoint) -> Version {
        if self.clock.elapsed().as_secs() < self.speaks_v1_until.load(Ordering::Relaxed) {
            Version::V1
        } else {
            endpoint.version
        }
    }

    /// Sends 1.0 from now on, for a day.
    fn downgrade(&self, endpoint: &Endpoint, failure: &Failure) {
        let until = self.clock.elapsed().saturating_add(ASK_AGAIN_AFTER).as_secs();
        let before = self.speaks_v1_until.swap(until, Ordering::Relaxed);
        if before < self.clock.elapsed().as_secs() {
            tracing::warn!(
                endpoint = endpoint.display_name(),
                err = failure.error.to_string(),
                "remote write 1.0 is sent for a day"
            );
        }
    }

    /// The body for what the receiver speaks. `None` when nothing of it is left, which is counted.
    fn as_spoken(&self, body: Body, endpoint: &Endpoint) -> Option<Body> {
        if body.version() == Version::V1 || self.version_for(endpoint) == Version::V2 {
            return Some(body);
        }
        let sent = Written::all_of(&body);
        let Some((body, custom)) = body.downgraded() else {
            // Only what we encoded ourselves comes here.
            self.dropped_by_receiver(endpoint, None, "a request cannot be made one of 1.0", sent);
            return None;
        };
        self.metrics.dropped(DropReason::CustomBuckets, custom as u64);
        Some(body).filter(|body| body.counts.series > 0)
    }
}
