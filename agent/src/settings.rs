//! Blocks that are not components: each sets something of the whole program.

mod logging;

use river_syntax::ast;
use river_syntax::{BlockShape, Diagnostic, Scope, TypeScope};

/// Decodes a block into what is done when the configuration takes effect.
pub type Decode = fn(ast::Block<'_>, &dyn Scope) -> Result<Box<dyn Setting>, Vec<Diagnostic>>;

/// One registered block.
#[derive(Clone, Copy)]
pub struct Descriptor {
    /// The name in configuration files.
    pub name: &'static str,
    /// One sentence for the reference.
    pub summary: &'static str,
    /// The shape of the block.
    pub shape: fn() -> &'static BlockShape,
    /// Checks the block without evaluating it.
    pub check: fn(ast::Block<'_>, &dyn TypeScope) -> Vec<Diagnostic>,
    /// Decodes the block into what is done when the configuration takes effect.
    pub decode: Decode,
    /// What holds when the block is not there.
    pub default: fn() -> Box<dyn Setting>,
}

/// Something that a configuration sets.
pub trait Setting: Send {
    /// Takes effect.
    fn apply(self: Box<Self>);
}

/// All of them: a line each.
pub const ALL: &[Descriptor] = &[logging::DESCRIPTOR];

/// The block of a name.
pub fn find(name: &str) -> Option<&'static Descriptor> {
    ALL.iter().find(|descriptor| descriptor.name == name)
}

impl std::fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Descriptor({})", self.name)
    }
}
