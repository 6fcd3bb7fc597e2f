//! How exporters of this process are scraped: through the trait that HTTP targets are scraped through.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use scrape::{Error, Fetching, Page, Resolve, ScrapeTarget, Target};

use super::{ADDRESS, Exporter, Exporters, InProcess};

/// The exporter at a path, whichever that is when it is scraped: it may be exchanged between two scrapes.
#[derive(Debug)]
pub(super) struct InProcessTarget {
    path: String,
    exporters: Arc<Exporters>,
    /// Held while a collection runs: one that is stuck parks one thread, however often it is asked for.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Resolve for InProcess {
    fn resolve(&self, target: &ScrapeTarget) -> Option<Arc<dyn Target>> {
        if target.labels.get("__address__") != Some(ADDRESS) {
            return None;
        }
        let path = target.labels.get("__metrics_path__").unwrap_or_default();
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        targets.retain(|_, target| target.strong_count() > 0);
        if let Some(known) = targets.get(path).and_then(std::sync::Weak::upgrade) {
            return Some(known);
        }
        let new = Arc::new(InProcessTarget {
            path: path.to_owned(),
            exporters: Arc::clone(&self.exporters),
            turn: Arc::default(),
        });
        targets.insert(path.to_owned(), Arc::downgrade(&new));
        Some(new)
    }
}

impl InProcessTarget {
    /// The exporter. While components start, or one is exchanged, it is waited for.
    async fn exporter(&self) -> Arc<Exporter> {
        loop {
            // Listening begins before the look, so that no addition is missed in between.
            let added = self.exporters.added.notified();
            tokio::pin!(added);
            added.as_mut().enable();
            if let Some(exporter) = self.exporters.find(&self.path) {
                return exporter;
            }
            added.await;
        }
    }
}

impl Target for InProcessTarget {
    fn fetch<'a>(&'a self, _: Duration, page: &'a mut Page) -> Fetching<'a> {
        Box::pin(async move {
            let exporter = self.exporter().await;
            let turn = Arc::clone(&self.turn).lock_owned().await;
            // Collectors read files and may block.
            let collected = tokio::task::spawn_blocking(move || {
                let families = exporter.collect_now();
                drop(turn);
                families
            });
            match collected.await {
                Ok(families) => {
                    page.families().append(&families);
                    Ok(())
                }
                Err(error) => Err(Error::exporter(format!(
                    "the exporter at {} failed: {error}",
                    self.path
                ))),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, mpsc};

    use ferroalloy_model::{Collect, Families, Labels, ManualClock};

    use super::*;

    /// Counts the collections that are under way, and ends one for each message.
    struct Stuck {
        begun: Arc<AtomicUsize>,
        end: Mutex<mpsc::Receiver<()>>,
    }

    impl Collect for Stuck {
        fn collect(&self, _: &mut Families) {
            self.begun.fetch_add(1, Ordering::SeqCst);
            let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
            // Without a sender there is nothing to wait for.
            let _ = end.recv();
        }
    }

    #[tokio::test]
    async fn a_stuck_collection_is_not_begun_again() {
        let (sender, end) = mpsc::channel();
        let begun = Arc::new(AtomicUsize::new(0));
        let stuck = Stuck {
            begun: Arc::clone(&begun),
            end: Mutex::new(end),
        };
        let exporter = Arc::new(Exporter::new(Box::new(stuck), Arc::new(ManualClock::new(0))));
        let in_process = InProcess::default();
        in_process.add("x", &exporter);
        let path = "/api/v0/component/x/metrics";
        let target = ScrapeTarget {
            labels: Labels::from_pairs([("__address__", ADDRESS), ("__metrics_path__", path)]),
            public: Labels::default(),
            url: String::new(),
            interval: Duration::ZERO,
            timeout: Duration::ZERO,
        };
        let target = in_process.resolve(&target).unwrap();
        let mut pages = [Page::new(), Page::new()];
        let [first, second] = &mut pages;
        let first = target.fetch(Duration::ZERO, first);
        // Given up, as at a timeout, while the collection goes on.
        tokio::select! {
            biased;
            _ = first => panic!("it is stuck"),
            () = until(&begun, 1) => {}
        }
        let again = target.fetch(Duration::ZERO, second);
        tokio::pin!(again);
        for _ in 0..100 {
            tokio::select! {
                biased;
                _ = &mut again => panic!("it is stuck"),
                () = tokio::task::yield_now() => {}
            }
        }
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        sender.send(()).unwrap();
        sender.send(()).unwrap();
        again.await.unwrap();
        assert_eq!(begun.load(Ordering::SeqCst), 2);
    }

    async fn until(count: &AtomicUsize, value: usize) {
        while count.load(Ordering::SeqCst) < value {
            tokio::task::yield_now().await;
        }
    }
}
