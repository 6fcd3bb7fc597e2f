//! The components as the API and the page show them.

use std::sync::Arc;

use river_syntax::json;
use serde::Serialize;
use serde_json::Value as Json;

use super::LiveById;
use super::evaluate::Names;
use super::live::Live;
use crate::component::Details;
use crate::graph::{Graph, Node};
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
}

/// One component with what it was given and what it gives. Secrets and native values are shown by their type alone.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentDetail {
    /// What the list has of it.
    #[serde(flatten)]
    pub component: ComponentView,
    /// Its arguments, evaluated, with defaults, as the language's JSON.
    pub arguments: Json,
    /// Its exports, as the language's JSON.
    pub exports: Json,
    /// What else there is to show: a block for each row.
    pub debug_info: Json,
    /// The exports as the language writes them.
    #[serde(skip)]
    pub exports_text: String,
    /// What else there is to show, as a table.
    #[serde(skip)]
    pub details: Details,
}

pub(super) fn all(graph: &Graph, live: &LiveById) -> Vec<ComponentView> {
    let shown = graph
        .nodes()
        .iter()
        .filter_map(|node| Some(view(graph, node, live.get(&node.id)?)));
    shown.collect()
}

pub(super) fn detail(graph: &Graph, node: &Node, live: &Live, names: &Names) -> ComponentDetail {
    let exports = live.exports.value();
    let details = live.component.details();
    ComponentDetail {
        component: view(graph, node, live),
        arguments: json::body(node.block.get().body(), (live.descriptor.shape)(), names),
        exports: json::attributes(&exports),
        debug_info: debug_info(&details),
        exports_text: exports.to_string(),
        details,
    }
}

fn view(graph: &Graph, node: &Node, live: &Live) -> ComponentView {
    ComponentView {
        name: live.descriptor.name,
        block_type: "block",
        id: Arc::clone(&node.id),
        module: "",
        label: node.block.get().label().unwrap_or_default().to_owned(),
        references_to: graph.ids(&node.uses),
        referenced_by: graph.ids(&node.used_by),
        health: live.health(),
    }
}

/// A block for each row, called as the first column is.
fn debug_info(details: &Details) -> Json {
    let name = details.columns.first().copied().unwrap_or("row");
    let rows = details.rows.iter().map(|row| {
        let cells = details.columns.iter().zip(row);
        let body: Json = cells
            .map(|(column, cell)| json::attribute(&column.replace(' ', "_"), &cell.as_str().into()))
            .collect();
        serde_json::json!({ "name": name, "type": "block", "body": body })
    });
    rows.collect()
}
