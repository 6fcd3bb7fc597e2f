//! The syntax tree.
//!
//! A tree is a few lists of small nodes that name one another by number, and its source, whose text the names in it are
//! slices of. What this module has for a node, such as [`Block`] or [`Expr`], is a view: two words that are copied freely
//! and look the node up. A view borrows from a [`File`], an [`OwnedBlock`] or an [`OwnedExpr`], which share the tree.
//!
//! Only what is right is in the tree: a statement with an error is left out and reported. Parentheses are kept, so
//! printing needs no knowledge of precedence.

mod expr;
mod list;
mod literal;
mod op;
mod owned;
mod print;
mod refs;
mod statement;
mod tree;
mod visit;

pub use expr::{Expr, ExprKind, Field, Ident};
pub use list::{Iter, List};
pub use literal::Literal;
pub use op::{BinaryOp, UnaryOp};
pub use owned::{File, OwnedBlock, OwnedExpr};
pub use refs::Reference;
pub use statement::{Attribute, Block, Body, Statement};
pub use visit::{Visitor, walk_body, walk_expr};

pub(crate) use literal::unescape;
pub(crate) use tree::{
    AttributeNode, BlockNode, BodyNode, ExprNode, FieldNode, NodeKind, Range, StatementNode, Tree,
};
