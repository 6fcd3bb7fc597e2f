//! JSON, as Go's `encoding/json` reads and writes it.

mod read;
mod write;

pub(in crate::stdlib) use read::decode;
pub(super) use write::encode;
