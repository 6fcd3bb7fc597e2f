//! Arguments that several components have, each declared once.

mod choice;
mod http_client;
mod pattern;
mod receiver;
mod rule;
mod targets;
mod url;

pub(crate) use choice::choice;
pub(crate) use http_client::HttpClient;
pub(crate) use pattern::{Pattern, Search};
pub(crate) use receiver::{MetricsReceiver, ReceiverExport, ReceiverExports, receivers};
pub(crate) use rule::{Rule, RulesExport, rules};
pub(crate) use targets::{Target, TargetsExports};
pub(crate) use url::HttpUrl;
