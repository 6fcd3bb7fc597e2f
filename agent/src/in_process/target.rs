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
            // Collectors read files and may block.
            match tokio::task::spawn_blocking(move || exporter.collect_now()).await {
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
