//! x
#![forbid(unsafe_code)]
mod client;
mod config;
pub mod encode;
mod error;
pub mod proto;

pub use self::client::Client;
pub use self::config::{Config, Endpoint, QueueConfig, QueueLimits};
pub use self::encode::{Body, Encoder};
pub use self::error::{Error, ErrorKind};
