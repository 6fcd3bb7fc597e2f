//! What the name of a block at the top of a file means.

use crate::component::Descriptor;
use crate::{components, settings};

/// What a name means.
pub(super) enum NamedAs {
    Component(&'static Descriptor),
    Setting(&'static settings::Descriptor),
    /// A block of Alloy's that this program does not have.
    AlloyBlock,
    /// A name in a namespace of Alloy's components, and none of ours.
    AlloyNamespace(&'static str),
    Unknown,
}

/// Blocks of Alloy's that are not components.
const ALLOY_BLOCKS: &[&str] = &[
    "argument",
    "declare",
    "export",
    "foreach",
    "http",
    "import.file",
    "import.git",
    "import.http",
    "import.string",
    "livedebugging",
    "logging",
    "remotecfg",
    "tracing",
];

/// First parts of the names of Alloy's components. A name that starts so but is not ours is one of Alloy's, or
/// a misspelt one of ours; the second is told by its likeness.
const ALLOY_NAMESPACES: &[&str] = &[
    "beyla",
    "database_observability",
    "discovery",
    "faro",
    "local",
    "loki",
    "mimir",
    "module",
    "otelcol",
    "prometheus",
    "pyroscope",
    "remote",
];

pub(super) fn find(name: &str) -> NamedAs {
    if let Some(descriptor) = components::find(name) {
        return NamedAs::Component(descriptor);
    }
    if let Some(descriptor) = settings::find(name) {
        return NamedAs::Setting(descriptor);
    }
    if ALLOY_BLOCKS.contains(&name) {
        return NamedAs::AlloyBlock;
    }
    let namespace = name.split('.').next().unwrap_or_default();
    let like_one_of_ours = river_syntax::diag::closest(name, known()).is_some();
    let namespace = ALLOY_NAMESPACES.iter().find(|known| **known == namespace);
    match namespace {
        Some(namespace) if name.contains('.') && !like_one_of_ours => NamedAs::AlloyNamespace(namespace),
        _ => NamedAs::Unknown,
    }
}

/// Every name that a block may have.
pub(super) fn known() -> impl Iterator<Item = &'static str> {
    components::all()
        .iter()
        .map(|d| d.name)
        .chain(settings::ALL.iter().map(|d| d.name))
}

/// Whether the dotted `path` is `id` or something of it.
pub(super) fn starts_with(path: &str, id: &str) -> bool {
    path.strip_prefix(id)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
