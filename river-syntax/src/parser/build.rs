//! Making a tree: nodes whose parts are known are added to its lists.
//!
//! The items of a list have lists within them, so they wait on a stack until all of them are known and then go beside one
//! another. All stacks are shared by all lists: nothing is allocated for one.

use crate::ast::{
    AttributeNode, BlockNode, BodyNode, ExprNode, FieldNode, NodeKind, Range, StatementNode, Tree,
};
use crate::source::Source;

pub(super) struct Builder {
    pub(super) tree: Tree,
    statements: Vec<StatementNode>,
    exprs: Vec<ExprNode>,
    fields: Vec<FieldNode>,
}

/// How much was on a stack when a list began.
#[derive(Clone, Copy)]
pub(super) struct Begun(usize);

/// Numbers in a tree: a source is at most [`MAX_SOURCE_BYTES`](crate::MAX_SOURCE_BYTES) long, and no byte makes two nodes
/// of one list.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Moves what was added to a stack since `begun` to the end of a list. The answer is where it begins there, and how much
/// it is.
fn settle<T: Copy>(stack: &mut Vec<T>, begun: Begun, list: &mut Vec<T>) -> (u32, u32) {
    let first = list.len();
    list.extend_from_slice(stack.get(begun.0..).unwrap_or_default());
    stack.truncate(begun.0);
    (number(first), number(list.len() - first))
}

/// Adds to a list. The answer is the number of what was added.
fn add<T>(list: &mut Vec<T>, node: T) -> u32 {
    list.push(node);
    number(list.len() - 1)
}

impl Builder {
    pub(super) fn new(source: Source) -> Builder {
        let mut tree = Tree::new(source);
        // About as many as there are in what people write, so that few have to move as the list grows.
        tree.exprs.reserve(tree.source.text().len() / 16);
        Builder {
            tree,
            statements: Vec::new(),
            exprs: Vec::new(),
            fields: Vec::new(),
        }
    }

    pub(super) fn begin_statements(&self) -> Begun {
        Begun(self.statements.len())
    }

    pub(super) fn statement(&mut self, statement: StatementNode) {
        self.statements.push(statement);
    }

    pub(super) fn end_statements(&mut self, begun: Begun) -> BodyNode {
        let (first, count) = settle(&mut self.statements, begun, &mut self.tree.statements);
        BodyNode {
            first,
            count,
            ..BodyNode::default()
        }
    }

    /// The statement at hand is not understood: what there was of its expression goes. Expressions hold no statements, so
    /// none is waiting for another.
    pub(super) fn abandon(&mut self) {
        self.exprs.clear();
        self.fields.clear();
    }

    /// The end of the last statement of a body.
    pub(super) fn end_of(&self, body: BodyNode) -> Option<u32> {
        let tree = &self.tree;
        let last = body.first.checked_add(body.count)?.checked_sub(1)?;
        Some(match *tree.statements.get(last as usize)? {
            StatementNode::Attribute(at) => {
                let attribute = tree.attributes.get(at as usize)?;
                tree.exprs.get(attribute.value as usize)?.range.end
            }
            StatementNode::Block(at) => tree.blocks.get(at as usize)?.closed,
        })
    }

    pub(super) fn attribute(&mut self, node: AttributeNode) -> StatementNode {
        StatementNode::Attribute(add(&mut self.tree.attributes, node))
    }

    pub(super) fn block(&mut self, node: BlockNode) -> StatementNode {
        StatementNode::Block(add(&mut self.tree.blocks, node))
    }

    pub(super) fn joined(&mut self, name: String) -> u32 {
        add(&mut self.tree.joined, name.into())
    }

    /// Adds an expression that is part of another, or the value of an attribute.
    pub(super) fn expr(&mut self, node: ExprNode) -> u32 {
        add(&mut self.tree.exprs, node)
    }

    pub(super) fn begin_exprs(&self) -> Begun {
        Begun(self.exprs.len())
    }

    pub(super) fn item(&mut self, node: ExprNode) {
        self.exprs.push(node);
    }

    pub(super) fn array(&mut self, begun: Begun) -> NodeKind {
        let (first, count) = settle(&mut self.exprs, begun, &mut self.tree.exprs);
        NodeKind::Array { first, count }
    }

    pub(super) fn call(&mut self, function: ExprNode, begun: Begun) -> NodeKind {
        let function = self.expr(function);
        let (_, count) = settle(&mut self.exprs, begun, &mut self.tree.exprs);
        NodeKind::Call { function, count }
    }

    pub(super) fn begin_fields(&self) -> Begun {
        Begun(self.fields.len())
    }

    pub(super) fn field(&mut self, key: Range, value: ExprNode) {
        let value = self.expr(value);
        self.fields.push(FieldNode { key, value });
    }

    pub(super) fn object(&mut self, begun: Begun) -> NodeKind {
        let (first, count) = settle(&mut self.fields, begun, &mut self.tree.fields);
        NodeKind::Object { first, count }
    }
}
