//! Decoding: blocks into Rust structs.
//!
//! A struct that derives [`Block`] declares a block's shape once; from that come decoding, the check without evaluation,
//! suggestions for misspelt names and the reference. Decoding reports everything that is wrong with a block, not only the
//! first thing.

mod convert;
mod duration;
mod mismatch;
mod reader;
mod shape;
mod size;
mod structure;
mod text;
mod to_value;

use crate::ast;
use crate::diag::Diagnostic;
use crate::eval::{Budget, Scope};
use crate::types::{TypeScope, UnknownTypes};

pub use convert::{CapsuleOf, FromValue};
pub use duration::{format_duration, parse_duration};
pub use mismatch::Mismatch;
pub(crate) use mismatch::describe as describe_mismatch;
use reader::Names;
pub use reader::{Invalid, Reader};
pub use shape::{BlockShape, Fields, LabelShape, Shape, ShapeKind};
pub use size::Bytes;
pub use to_value::ToValue;

/// A struct that blocks are decoded into. Derive it.
///
/// ```
/// use river_syntax::{Block, EmptyScope, SourceMap, decode, parse};
/// use std::time::Duration;
///
/// /// Scrapes targets.
/// #[derive(Block, Debug)]
/// struct Arguments {
///     /// Where to scrape.
///     url: String,
///     /// How often.
///     #[river(default = Duration::from_secs(60))]
///     interval: Duration,
///     /// Who asks.
///     #[river(block)]
///     basic_auth: Option<BasicAuth>,
/// }
///
/// #[derive(Block, Debug)]
/// struct BasicAuth {
///     username: String,
///     password: Option<river_syntax::Secret>,
/// }
///
/// let mut sources = SourceMap::new();
/// let source = sources.add("a.alloy", "scrape \"x\" {\n url = \"http://h\"\n basic_auth { username = \"me\" }\n}");
/// let (file, diagnostics) = parse(&source);
/// assert!(diagnostics.is_empty());
/// let block = file.body().blocks().next().unwrap();
/// let arguments: Arguments = decode(block, &EmptyScope).unwrap();
/// assert_eq!(arguments.interval, Duration::from_secs(60));
/// assert_eq!(arguments.basic_auth.unwrap().username, "me");
/// ```
///
/// # Attributes
///
/// On a field:
///
/// - nothing: an attribute of that name; required, unless its type is an `Option`, which is `None` when it is absent.
/// - `default` or `default = expr`: an attribute that may be absent. The reference shows the default as the type's
///   [`ToValue`] gives it; `text = "…"` shows something else.
/// - `block`: a nested block; required, `Option<T>` for an optional one, `Vec<T>` for any number. With `default`, an
///   absent block is `Default::default()` (or `default = expr`).
/// - `label`: the label, a `String` (required) or an `Option<String>`.
/// - `flatten`: the fields of another such struct, as if they were this one's.
/// - `name = "…"`: another name than the field's; the name of a block may have dots.
///
/// On the struct: `validate = path`, a `fn(&Self) -> Result<(), Invalid>` called after decoding.
pub trait Block: Sized {
    /// The shape, for checks, completion and the reference.
    fn shape() -> &'static BlockShape;

    /// Reads the fields; `None` when one of them is wrong, which the reader then knows of.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;
}

/// Decodes a block. Its own label is taken as it is unless `T` declares one: at the top level labels are the host's.
pub fn decode<T: Block>(block: ast::Block<'_>, scope: &dyn Scope) -> Result<T, Vec<Diagnostic>> {
    Reader::new(block.body(), block.header(), Names::Values(scope), &Budget::new())
        .for_block(block)
        .decode(T::shape().label.is_declared())
}

/// Decodes the statements of a file, or of a body that is no block's.
pub fn decode_body<T: Block>(body: ast::Body<'_>, scope: &dyn Scope) -> Result<T, Vec<Diagnostic>> {
    Reader::new(body, body.span().at_start(), Names::Values(scope), &Budget::new()).decode(false)
}

/// Everything that can be said about a block without evaluating names: its structure, the values that are made of
/// literals alone, and the types of the others as far as the standard library gives them.
pub fn check<T: Block>(block: ast::Block<'_>) -> Vec<Diagnostic> {
    check_types::<T>(block, &UnknownTypes)
}

/// As [`check`], with the static types of the host's names: a reference to something of the wrong type or to a field that
/// does not exist is reported too.
pub fn check_types<T: Block>(block: ast::Block<'_>, types: &dyn TypeScope) -> Vec<Diagnostic> {
    check_value::<T>(block, types).1
}

/// As [`check_types`], with the struct where all of it is known, for rules that its `validate` function does not have.
/// Empty lists stand for those whose values are not known and [opaque](FromValue::OPAQUE).
pub fn check_value<T: Block>(block: ast::Block<'_>, types: &dyn TypeScope) -> (Option<T>, Vec<Diagnostic>) {
    let budget = Budget::new();
    let reader = Reader::new(block.body(), block.header(), Names::Types(types), &budget).for_block(block);
    reader.check::<T>(T::shape().label.is_declared())
}

/// As [`check`], of the statements of a file.
pub fn check_body<T: Block>(body: ast::Body<'_>) -> Vec<Diagnostic> {
    Reader::new(
        body,
        body.span().at_start(),
        Names::Types(&UnknownTypes),
        &Budget::new(),
    )
    .check::<T>(false)
    .1
}
