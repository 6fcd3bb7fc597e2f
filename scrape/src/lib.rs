#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
pub mod parse;

pub use error::{Error, ErrorKind, Position, chain};
