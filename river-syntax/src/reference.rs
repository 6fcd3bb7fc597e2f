//! The reference that follows from shapes: pages for people, and data for completion.
//!
//! A block's shape is declared once, on its struct. What the reference says of it is read from that declaration, so it
//! cannot say anything else than what is decoded.

mod markdown;
mod schema;

use crate::decode::{BlockShape, LabelShape};
use crate::stability::Stability;
use crate::types::Type;

pub use markdown::{functions_page, page};
pub use schema::schema;

/// A kind of block that a host has at the top of its files.
///
/// ```
/// use river_syntax::{Block, LabelShape, Stability, reference};
///
/// /// Serves files.
/// #[derive(Block)]
/// struct Server {
///     /// The port to listen on.
///     #[river(default = 80_u16)]
///     port: u16,
/// }
///
/// let entry = reference::Entry {
///     name: "server",
///     summary: "Serves files.",
///     stability: Stability::GenerallyAvailable,
///     label: LabelShape::Required,
///     shape: Server::shape(),
///     exports: None,
/// };
/// assert!(reference::page(&entry).contains("| `port` | number | `80` | The port to listen on. |"));
/// let data = reference::schema(&[entry]);
/// assert_eq!(data["blocks"][0]["attributes"][0]["default"], "80");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The name, with its dots.
    pub name: &'a str,
    /// What it is for, in a sentence.
    pub summary: &'a str,
    /// How settled it is.
    pub stability: Stability,
    /// Whether it has a label.
    pub label: LabelShape,
    /// What may be in it.
    pub shape: &'static BlockShape,
    /// The type of what others can refer to, an object.
    pub exports: Option<Type>,
}
