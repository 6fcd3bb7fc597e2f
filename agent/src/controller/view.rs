//! The components as the API and the page show them.

use std::sync::Arc;

use serde::Serialize;

use super::LiveById;
use crate::component::Details;
use crate::graph::Graph;
use crate::health::Health;

/// One component, in the words of Alloy's API.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentView {
    /// The kind of component: `prometheus.scrape`.
    pub name: &'static str,
    /// Always `block`.
    #[serde(rename = "type")]
    pub block_type: &'static str,
    /// The full name: `prometheus.scrape.unix_metrics`.
    #[serde(rename = "localID")]
    pub id: Arc<str>,
    /// The module it is in; modules do not exist, so always empty.
    #[serde(rename = "moduleID")]
    pub module: &'static str,
    /// The label.
    pub label: String,
    /// What it refers to.
    pub references_to: Vec<Arc<str>>,
    /// What refers to it.
    pub referenced_by: Vec<Arc<str>>,
    /// How it is.
    pub health: Health,
    /// Its exports as the language writes them; secrets and native values are shown by their type alone.
    pub exports: String,
    /// What else there is to show.
    #[serde(rename = "debugInfo")]
    pub details: Details,
}

pub(super) fn all(graph: &Graph, live: &LiveById) -> Vec<ComponentView> {
    let shown = graph.nodes().iter().filter_map(|node| {
        let live = live.get(&node.id)?;
        Some(ComponentView {
            name: live.descriptor.name,
            block_type: "block",
            id: Arc::clone(&node.id),
            module: "",
            label: node.block.label().unwrap_or_default().to_owned(),
            references_to: graph.ids(&node.uses),
            referenced_by: graph.ids(&node.used_by),
            health: live.health(),
            exports: live.exports.value().to_string(),
            details: live.component.details(),
        })
    });
    shown.collect()
}
