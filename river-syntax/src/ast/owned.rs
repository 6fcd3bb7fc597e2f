//! What a tree is held by.

use std::sync::Arc;

use crate::ast::{Block, Body, Expr, Tree};
use crate::source::Source;
use crate::token::Comment;

/// A parsed file. Cloning shares the tree.
#[derive(Clone)]
pub struct File(Arc<Tree>);

impl File {
    pub(crate) fn new(tree: Tree) -> File {
        File(Arc::new(tree))
    }

    /// The source it was parsed from.
    pub fn source(&self) -> &Source {
        &self.0.source
    }

    /// Its statements.
    pub fn body(&self) -> Body<'_> {
        Body::new(&self.0, &self.0.root)
    }

    /// Its comments, in order.
    pub fn comments(&self) -> &[Comment] {
        &self.0.comments
    }
}

/// A block with a share in its tree. Cloning shares the tree.
#[derive(Clone)]
pub struct OwnedBlock {
    tree: Arc<Tree>,
    at: u32,
}

impl OwnedBlock {
    pub(super) fn new(tree: Arc<Tree>, at: u32) -> OwnedBlock {
        OwnedBlock { tree, at }
    }

    /// The block.
    pub fn get(&self) -> Block<'_> {
        Block::new(&self.tree, self.at)
    }
}

/// An expression that was parsed by itself. Cloning shares the tree.
#[derive(Clone)]
pub struct OwnedExpr {
    tree: Arc<Tree>,
    at: u32,
}

impl OwnedExpr {
    pub(crate) fn new(tree: Tree, at: u32) -> OwnedExpr {
        OwnedExpr {
            tree: Arc::new(tree),
            at,
        }
    }

    /// The expression.
    pub fn get(&self) -> Expr<'_> {
        Expr::new(&self.tree, self.at)
    }
}
