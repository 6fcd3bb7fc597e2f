//! Scopes: what names mean to the host.

use std::collections::BTreeMap;

use crate::eval::{Environment, Isolated};
use crate::value::Value;

/// What a path was found to be.
#[derive(Clone, Debug)]
pub struct Found {
    /// How many of the path's names the value stands for; the rest are fields of it.
    pub segments: usize,
    /// The value.
    pub value: Value,
}

/// The names that expressions can refer to.
pub trait Scope {
    /// The value of the longest prefix of `path` that is known; `None` when no prefix is, and then the standard library
    /// is asked. An error is for a name that is known but has no value; its text is the message of the diagnostic.
    fn resolve(&self, path: &[&str]) -> Result<Option<Found>, String>;

    /// What functions may learn about the process: by default nothing.
    fn environment(&self) -> &dyn Environment {
        &Isolated
    }
}

/// A scope without names.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyScope;

impl Scope for EmptyScope {
    fn resolve(&self, _path: &[&str]) -> Result<Option<Found>, String> {
        Ok(None)
    }
}

/// A scope of variables by dotted name, such as `argument.url.value` or `prometheus.scrape.local`.
#[derive(Debug, Default)]
pub struct Variables<E = Isolated> {
    values: BTreeMap<String, Value>,
    environment: E,
}

impl<E: Environment> Variables<E> {
    /// A scope without variables, whose functions see the environment.
    pub fn new(environment: E) -> Variables<E> {
        Variables {
            values: BTreeMap::new(),
            environment,
        }
    }

    /// Sets the value of a dotted name.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) -> &mut Self {
        self.values.insert(name.into(), value.into());
        self
    }
}

impl<E: Environment> Scope for Variables<E> {
    fn resolve(&self, path: &[&str]) -> Result<Option<Found>, String> {
        let found = (1..=path.len()).rev().find_map(|segments| {
            let value = self.values.get(&path[..segments].join("."))?.clone();
            Some(Found { segments, value })
        });
        Ok(found)
    }

    fn environment(&self) -> &dyn Environment {
        &self.environment
    }
}

/// A scope in front of another: the variables of a loop, the arguments of a module.
#[derive(Clone, Copy)]
pub struct Nested<'a> {
    /// Asked first.
    pub inner: &'a dyn Scope,
    /// Asked for what the inner scope does not know; also gives the environment.
    pub outer: &'a dyn Scope,
}

impl Scope for Nested<'_> {
    fn resolve(&self, path: &[&str]) -> Result<Option<Found>, String> {
        match self.inner.resolve(path)? {
            Some(found) => Ok(Some(found)),
            None => self.outer.resolve(path),
        }
    }

    fn environment(&self) -> &dyn Environment {
        self.outer.environment()
    }
}

impl std::fmt::Debug for Nested<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nested")
    }
}
