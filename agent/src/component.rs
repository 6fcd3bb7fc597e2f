//! What a component is: the trait that its one file implements, and the descriptor that the registry holds.
//!
//! A component declares its arguments (a derived block) and its exports, is built from arguments, takes other
//! arguments while it runs, and runs as a supervised task. Building has no effect that is seen from outside:
//! a configuration is built whole before any of it starts.

mod context;
mod typed;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use ferroalloy_model::{Families, Reconfigured};
use river_syntax::ast;
use river_syntax::{BlockShape, Diagnostic, Scope, Stability, Type, TypeScope};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::health::Health;

pub use context::{Context, Exports, Host};
pub use typed::Define;

/// Decoded arguments of some component.
pub type Arguments = Box<dyn Any + Send + Sync>;

/// One registered component: everything that is known of it without building one.
#[derive(Clone, Copy)]
pub struct Descriptor {
    /// The name in configuration files.
    pub name: &'static str,
    /// One sentence for the reference.
    pub summary: &'static str,
    /// How settled it is.
    pub stability: Stability,
    /// The shape of its block.
    pub shape: fn() -> &'static BlockShape,
    /// The type of its exports, an object.
    pub exports: Type,
    /// Checks a block without evaluating it: its structure, its literals, and the types of what it refers to.
    pub check: fn(ast::Block<'_>, &dyn TypeScope) -> Vec<Diagnostic>,
    /// Decodes and checks a block's arguments.
    pub decode: fn(ast::Block<'_>, &dyn Scope) -> Result<Arguments, Vec<Diagnostic>>,
    /// Builds the component, which does not run yet.
    pub build: fn(Context, Arguments) -> Result<Arc<dyn Component>, Error>,
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Descriptor({})", self.name)
    }
}

/// A component as the controller sees it. Components implement [`Define`].
#[async_trait]
pub trait Component: Send + Sync + fmt::Debug {
    /// Takes other arguments, which are of the component's type. Equal arguments change nothing.
    fn reconfigure(&self, arguments: Arguments) -> Result<Reconfigured, Error>;

    /// Runs until `stop` is cancelled. An error or a panic makes the component unhealthy; it is run again.
    async fn run(&self, stop: CancellationToken) -> Result<(), Error>;

    /// How it is, by its own account.
    fn health(&self) -> Option<Health>;

    /// What there is to show of it.
    fn details(&self) -> Details;

    /// Appends its own metrics.
    fn collect(&self, out: &mut Families);
}

/// What there is to show of a component: a table, empty where there is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// Names of the columns.
    pub columns: Vec<&'static str>,
    /// Rows with a cell for each column.
    pub rows: Vec<Vec<String>>,
}
