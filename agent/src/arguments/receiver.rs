//! `forward_to` and the receivers that it lists.

use std::sync::Arc;

use ferroalloy_model::Receiver;
use river_syntax::{Capsule, CapsuleOf, CapsuleType, ToValue, Type, Value};

/// Where samples can be sent, as a value of the language.
#[derive(Debug)]
pub(crate) struct MetricsReceiver(pub(crate) Arc<dyn Receiver>);

impl CapsuleType for MetricsReceiver {
    const NAME: &'static str = "metrics.receiver";

    fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The receivers of a `forward_to`.
pub(crate) fn receivers(forward_to: &[CapsuleOf<MetricsReceiver>]) -> Vec<Arc<dyn Receiver>> {
    forward_to
        .iter()
        .map(|receiver| Arc::clone(&receiver.0.0))
        .collect()
}

/// An export of a receiver.
#[derive(Debug, Clone)]
pub(crate) struct ReceiverExport(pub(crate) Arc<MetricsReceiver>);

impl ToValue for ReceiverExport {
    const TYPE: Type = MetricsReceiver::TYPE;

    fn to_value(&self) -> Value {
        Value::Capsule(Capsule::new(Arc::clone(&self.0)))
    }
}

/// The exports of components that are sent samples and have nothing else to say.
#[derive(Debug, ToValue)]
pub(crate) struct ReceiverExports {
    /// Where samples are sent.
    receiver: ReceiverExport,
}

impl ReceiverExports {
    pub(crate) fn new(receiver: Arc<dyn Receiver>) -> Self {
        Self {
            receiver: ReceiverExport::new(receiver),
        }
    }
}

impl ReceiverExport {
    pub(crate) fn new(receiver: Arc<dyn Receiver>) -> Self {
        Self(Arc::new(MetricsReceiver(receiver)))
    }
}
