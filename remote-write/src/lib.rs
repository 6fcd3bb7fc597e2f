#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accepted;
mod client;
mod config;
mod decode;
pub mod encode;
mod endpoint;
mod error;
mod intake;
mod metrics;
mod order;
pub mod proto;
mod queue;
#[cfg(feature = "sigv4")]
mod sigv4;
mod status;
mod view;
mod writer;

pub use self::client::{Client, Written};
#[cfg(feature = "durable")]
pub use self::config::Storage;
pub use self::config::{Config, Endpoint, MetadataConfig, QueueConfig, QueueLimits};
pub use self::decode::{Limits, decode_v1, decode_v2};
pub use self::encode::{Body, Encoder, Point, Value, Version};
pub use self::error::{Error, ErrorKind};
pub use self::intake::{Intake, Received};
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub use self::queue::durable::fuzz;
#[cfg(feature = "durable")]
pub use self::queue::durable::inspect;
#[cfg(feature = "sigv4")]
pub use self::sigv4::SigV4;
pub use self::status::{Health, QueueStatus, Refusal, Status};
pub use self::writer::{StatusChanges, Writer};
