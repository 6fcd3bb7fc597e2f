//! The client against a server whose every byte is scripted.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod faults;
mod keep_alive;
mod oauth2;
mod proxy;
mod redirects;
mod requests;
mod server;
#[cfg(feature = "tls")]
mod tls;

use bytes::Bytes;
use ferroalloy_http_client::{Client, Config, Request};
use http::{HeaderMap, Method};

fn client() -> Client {
    Client::new(&Config::default()).unwrap()
}

fn get(uri: &str) -> Request {
    Request {
        method: Method::GET,
        uri: uri.parse().unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
    }
}

fn post(uri: &str, body: &'static [u8]) -> Request {
    Request {
        method: Method::POST,
        body: Bytes::from_static(body),
        ..get(uri)
    }
}

const LIMIT: usize = 1 << 20;
