//! The registry of components: one file and one line each.

use std::sync::LazyLock;

use crate::component::{Define, Descriptor};

macro_rules! components {
    ($($module:ident: $type:ident,)*) => {
        $(mod $module;)*

        static ALL: LazyLock<Vec<Descriptor>> =
            LazyLock::new(|| vec![$(<$module::$type as Define>::descriptor(),)*]);
    };
}

components! {
    discovery_relabel: DiscoveryRelabel,
    prometheus_echo: Echo,
    prometheus_exporter_self: SelfExporter,
    prometheus_exporter_unix: UnixExporter,
    prometheus_receive_http: ReceiveHttp,
    prometheus_relabel: Relabel,
    prometheus_remote_write: RemoteWrite,
    prometheus_scrape: Scrape,
}

/// Every component, by name.
pub fn all() -> &'static [Descriptor] {
    &ALL
}

/// The component of a name.
pub fn find(name: &str) -> Option<&'static Descriptor> {
    ALL.iter().find(|descriptor| descriptor.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_everything_is_documented() {
        assert!(ALL.is_sorted_by(|a, b| a.name < b.name));
        for descriptor in all() {
            assert!(
                descriptor.summary.ends_with('.'),
                "{} has no summary",
                descriptor.name
            );
            for field in (descriptor.shape)().fields() {
                assert!(
                    !field.docs.is_empty(),
                    "{}: {} is not documented",
                    descriptor.name,
                    field.name
                );
            }
        }
    }
}
