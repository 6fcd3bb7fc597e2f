#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod auth;
mod client;
mod config;
mod connect;
mod connection;
mod error;
mod origin;
mod pool;
mod redact;
mod redirect;
mod reply;
#[cfg(feature = "tls")]
mod tls;

pub use self::client::{Client, Request, Response};
pub use self::config::{Authorization, BasicAuth, Config, Redirects, Secret, TlsConfig, TlsVersion};
pub use self::error::{Error, ErrorKind};
pub use self::redact::redact;
pub use self::reply::Reply;
