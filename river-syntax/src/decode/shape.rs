//! The static shape of a block.

use crate::types::Type;

/// What a block may hold.
#[derive(Debug)]
pub struct BlockShape {
    /// What the block is for, from the doc comment.
    pub docs: &'static str,
    /// Whether it has a label.
    pub label: LabelShape,
    /// What may be in it, in order of declaration. [`BlockShape::fields`] has flattened ones in their place.
    pub shapes: &'static [Shape],
    /// The type of attributes of any other name; `None` when there may be none.
    pub rest: Option<Type>,
}

/// Whether a block has a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelShape {
    /// It has none.
    None,
    /// It may have one.
    Optional,
    /// It must have one.
    Required,
}

impl LabelShape {
    /// Whether the struct has a field for the label.
    pub fn is_declared(self) -> bool {
        self != LabelShape::None
    }
}

/// An attribute or a block that a block may hold.
#[derive(Debug)]
pub struct Shape {
    /// The name; empty for a flattened struct.
    pub name: &'static str,
    /// What it means, from the doc comment.
    pub docs: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// The default, as the language writes it.
    pub default: Option<fn() -> String>,
    /// Whether it is an attribute or a block.
    pub kind: ShapeKind,
}

/// Whether it is an attribute or a block.
#[derive(Clone, Copy, Debug)]
pub enum ShapeKind {
    /// An attribute of a type.
    Attribute(Type),
    /// A block.
    Block {
        /// Its shape.
        shape: fn() -> &'static BlockShape,
        /// Whether there may be several.
        repeated: bool,
    },
    /// Another struct whose fields are among this one's.
    Flatten(fn() -> &'static BlockShape),
}

impl BlockShape {
    /// The attributes and blocks, flattened.
    pub fn fields(&self) -> Fields {
        Fields {
            stack: vec![self.shapes.iter()],
        }
    }

    /// The attribute or block of a name.
    pub fn field(&self, name: &str) -> Option<&'static Shape> {
        self.fields().find(|shape| shape.name == name)
    }

    /// The shape of the nested block of a name.
    pub fn block(&self, name: &str) -> Option<&'static BlockShape> {
        match self.field(name)?.kind {
            ShapeKind::Block { shape, .. } => Some(shape()),
            _ => None,
        }
    }
}

/// The attributes and blocks of a shape, flattened.
#[derive(Debug)]
pub struct Fields {
    stack: Vec<std::slice::Iter<'static, Shape>>,
}

impl Iterator for Fields {
    type Item = &'static Shape;

    fn next(&mut self) -> Option<&'static Shape> {
        loop {
            match self.stack.last_mut()?.next() {
                None => {
                    self.stack.pop();
                }
                Some(Shape {
                    kind: ShapeKind::Flatten(shape),
                    ..
                }) => self.stack.push(shape().shapes.iter()),
                Some(shape) => return Some(shape),
            }
        }
    }
}
