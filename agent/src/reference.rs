//! The reference of everything that may stand in a configuration, from the declarations of components and settings.

use river_syntax::reference::Entry;
use river_syntax::{LabelShape, Stability};

use crate::{components, settings};

/// Every block that may stand at the top of a file, by name.
pub fn entries() -> Vec<Entry<'static>> {
    let components = components::all().iter().map(|component| Entry {
        name: component.name,
        summary: component.summary,
        stability: component.stability,
        label: LabelShape::Required,
        shape: (component.shape)(),
        exports: Some(component.exports),
    });
    let settings = settings::ALL.iter().map(|setting| Entry {
        name: setting.name,
        summary: setting.summary,
        stability: Stability::GenerallyAvailable,
        label: LabelShape::None,
        shape: (setting.shape)(),
        exports: None,
    });
    let mut entries: Vec<Entry<'static>> = components.chain(settings).collect();
    entries.sort_by_key(|entry| entry.name);
    entries
}
