//! From typed components to what the controller handles.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ferroalloy_model::{Families, Reconfigured};
use river_syntax::ast;
use river_syntax::{Block, Diagnostic, Scope, Stability, ToValue, TypeScope};
use tokio_util::sync::CancellationToken;

use super::{Arguments, Component, Context, Descriptor, Details};
use crate::error::{Error, chain};
use crate::health::Health;

/// A component in its own types. One file implements it, one line registers it.
#[async_trait]
pub trait Define: Debug + Send + Sync + Sized + 'static {
    /// The arguments: one declaration for decoding, validation and reference.
    type Arguments: Block + Debug + Clone + PartialEq + Send + Sync + 'static;
    /// The exports.
    type Exports: ToValue;

    /// The name in configuration files.
    const NAME: &'static str;
    /// One sentence for the reference.
    const SUMMARY: &'static str;

    /// How settled it is: below what the command line asks for it is refused.
    const STABILITY: Stability = Stability::GenerallyAvailable;

    /// Checks what the types cannot say, such as two arguments that exclude one another.
    fn check(_arguments: &Self::Arguments) -> Result<(), Error> {
        Ok(())
    }

    /// Builds the component. Publishes its first exports; starts nothing.
    fn build(context: Context, arguments: &Self::Arguments) -> Result<Self, Error>;

    /// Takes arguments that differ from the present ones.
    fn update(&self, arguments: &Self::Arguments) -> Result<Reconfigured, Error>;

    /// Runs until `stop` is cancelled.
    async fn run(&self, stop: CancellationToken) -> Result<(), Error> {
        stop.cancelled().await;
        Ok(())
    }

    /// How it is, where it can tell.
    fn health(&self) -> Option<Health> {
        None
    }

    /// What there is to show.
    fn details(&self) -> Details {
        Details::default()
    }

    /// Appends its own metrics.
    fn collect(&self, _out: &mut Families) {}

    /// The registry's entry.
    fn descriptor() -> Descriptor {
        Descriptor {
            name: Self::NAME,
            summary: Self::SUMMARY,
            stability: Self::STABILITY,
            shape: <Self::Arguments as Block>::shape,
            exports: <Self::Exports as ToValue>::TYPE,
            check: check::<Self>,
            decode: decode::<Self>,
            build: build::<Self>,
        }
    }
}

fn check<D: Define>(block: ast::Block<'_>, types: &dyn TypeScope) -> Vec<Diagnostic> {
    let (arguments, mut found) = river_syntax::check_value::<D::Arguments>(block, types);
    // Rules are for arguments that are right by themselves.
    if let Some(arguments) = arguments.filter(|_| !found.iter().any(Diagnostic::is_error)) {
        found.extend(refused::<D>(block, &arguments));
    }
    found
}

/// What the component's own rules say of arguments.
fn refused<D: Define>(block: ast::Block<'_>, arguments: &D::Arguments) -> Option<Diagnostic> {
    let error = D::check(arguments).err()?;
    Some(Diagnostic::error(block.header(), chain(&error)))
}

fn decode<D: Define>(block: ast::Block<'_>, scope: &dyn Scope) -> Result<Arguments, Vec<Diagnostic>> {
    let arguments = river_syntax::decode::<D::Arguments>(block, scope)?;
    match refused::<D>(block, &arguments) {
        None => Ok(Box::new(arguments)),
        Some(fault) => Err(vec![fault]),
    }
}

fn build<D: Define>(context: Context, arguments: Arguments) -> Result<Arc<dyn Component>, Error> {
    let arguments = typed::<D>(arguments)?;
    let component = D::build(context, &arguments)?;
    Ok(Arc::new(Typed {
        component,
        arguments: Mutex::new(arguments),
    }))
}

fn typed<D: Define>(arguments: Arguments) -> Result<D::Arguments, Error> {
    arguments
        .downcast::<D::Arguments>()
        .map(|arguments| *arguments)
        .map_err(|_| {
            Error::new(format_args!(
                "{} was given the arguments of another component",
                D::NAME
            ))
        })
}

/// A component with the arguments that are in force.
#[derive(Debug)]
struct Typed<D: Define> {
    component: D,
    arguments: Mutex<D::Arguments>,
}

#[async_trait]
impl<D: Define> Component for Typed<D> {
    fn reconfigure(&self, arguments: Arguments) -> Result<Reconfigured, Error> {
        let arguments = typed::<D>(arguments)?;
        let mut current = self.arguments.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == arguments {
            return Ok(Reconfigured::Kept);
        }
        let outcome = self.component.update(&arguments)?;
        if outcome == Reconfigured::Kept {
            *current = arguments;
        }
        Ok(outcome)
    }

    async fn run(&self, stop: CancellationToken) -> Result<(), Error> {
        self.component.run(stop).await
    }

    fn health(&self) -> Option<Health> {
        self.component.health()
    }

    fn details(&self) -> Details {
        self.component.details()
    }

    fn collect(&self, out: &mut Families) {
        self.component.collect(out);
    }
}
