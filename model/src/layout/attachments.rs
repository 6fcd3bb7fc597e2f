//! What stages keep per series, hung on the layout so that it cannot outlive it.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Identifies a stage object (one component instance, one endpoint) towards layouts.
///
/// When the last clone is dropped, what was attached under it is dropped at the next attachment.
#[derive(Clone)]
pub struct StageKey(Arc<()>);

impl StageKey {
    /// A key of its own.
    #[expect(clippy::new_without_default, reason = "each call gives another key")]
    pub fn new() -> Self {
        Self(Arc::new(()))
    }
}

impl fmt::Debug for StageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StageKey({:p})", Arc::as_ptr(&self.0))
    }
}

type Attached = (Weak<()>, Arc<dyn Any + Send + Sync>);

/// A handful of entries: a stage each along the way of a batch, so a list is searched.
#[derive(Default)]
pub(super) struct Attachments {
    entries: Mutex<Vec<Attached>>,
}

impl Attachments {
    pub(super) fn get<T: Send + Sync + 'static>(&self, key: &StageKey) -> Option<Arc<T>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, value) = entries
            .iter()
            .find(|(owner, _)| std::ptr::eq(owner.as_ptr(), Arc::as_ptr(&key.0)))?;
        Arc::clone(value).downcast().ok()
    }

    pub(super) fn set<T: Send + Sync + 'static>(&self, key: &StageKey, value: Arc<T>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(owner, _)| {
            owner.strong_count() > 0 && !std::ptr::eq(owner.as_ptr(), Arc::as_ptr(&key.0))
        });
        entries.push((Arc::downgrade(&key.0), value));
    }
}
