#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod client;
mod config;
pub mod encode;
mod endpoint;
mod error;
mod metrics;
pub mod proto;
mod queue;
mod status;
mod view;
mod writer;

pub use self::client::{Client, Written};
pub use self::config::{Config, Endpoint, MetadataConfig, QueueConfig, QueueLimits};
pub use self::encode::{Body, Encoder, Point, Value, Version};
pub use self::error::{Error, ErrorKind};
pub use self::status::{Health, Refusal, Status};
pub use self::writer::{StatusChanges, Writer};
