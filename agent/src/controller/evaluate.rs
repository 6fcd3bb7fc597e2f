//! What names mean in the expressions of a configuration: the exports of its components.

use std::collections::BTreeMap;
use std::sync::Arc;

use river_syntax::{Environment, Found, Process, Scope};

use crate::component::Exports;

/// The exports that expressions can refer to, by component.
#[derive(Debug)]
pub(crate) struct Names {
    exports: BTreeMap<Arc<str>, Arc<Exports>>,
    environment: Process,
}

impl Names {
    /// Functions may learn of this process: its variables, and `hostname` as the host's name.
    pub(crate) fn new(hostname: &str, exports: BTreeMap<Arc<str>, Arc<Exports>>) -> Self {
        let environment = Process {
            hostname: hostname.to_owned(),
            version: crate::process::VERSION.to_owned(),
        };
        Self { exports, environment }
    }

    pub(crate) fn add(&mut self, id: Arc<str>, exports: Arc<Exports>) {
        self.exports.insert(id, exports);
    }
}

impl Scope for Names {
    fn resolve(&self, path: &[&str]) -> Result<Option<Found>, String> {
        let found = (1..=path.len()).rev().find_map(|segments| {
            let exports = self.exports.get(path[..segments].join(".").as_str())?;
            Some(Found {
                segments,
                value: exports.value(),
            })
        });
        Ok(found)
    }

    fn environment(&self) -> &dyn Environment {
        &self.environment
    }
}
