#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod auth;
mod client;
mod config;
mod connect;
mod connection;
mod error;
mod oauth2;
mod origin;
mod pool;
mod proxy;
mod redact;
mod redirect;
mod reply;
#[cfg(feature = "tls")]
mod tls;

pub use self::client::{Client, Request, Response};
pub use self::config::{
    Authorization, BasicAuth, Config, OAuth2, ProxyConfig, Redirects, Secret, TlsConfig, TlsVersion,
};
pub use self::error::{Error, ErrorKind};
pub use self::redact::redact;
pub use self::reply::Reply;
