//! `discovery.relabel`: rules over the labels of targets.

use async_trait::async_trait;
use ferroalloy_model::{LabelsBuilder, Reconfigured};
use relabel::{Decision, Naming};
use river_syntax::{Block, ToValue};

use crate::arguments::{Rule, RulesExport, Target, rules};
use crate::component::{Context, Define};
use crate::error::Error;

/// Relabels, keeps and drops targets.
#[derive(Debug, Clone, PartialEq, Block)]
pub(super) struct Arguments {
    /// The targets.
    targets: Vec<Target>,
    /// What is done with each, in this order.
    #[river(block)]
    rule: Vec<Rule>,
}

/// What comes out.
#[derive(Debug, ToValue)]
pub(super) struct Exports {
    /// The targets that were kept, relabelled.
    output: Vec<Target>,
    /// The rules, for components that take some.
    rules: RulesExport,
}

#[derive(Debug)]
pub(super) struct DiscoveryRelabel {
    context: Context,
}

impl DiscoveryRelabel {
    fn publish(&self, arguments: &Arguments) -> Result<(), Error> {
        let rules = rules(&arguments.rule, Naming::ALLOY_TARGETS)?;
        let mut labels = LabelsBuilder::new();
        let mut output = Vec::with_capacity(arguments.targets.len());
        for target in &arguments.targets {
            labels.reset(&target.0);
            if rules.apply(&mut labels) == Decision::Keep && !labels.is_empty() {
                output.push(Target(labels.labels()));
            }
        }
        self.context.exports.publish(&Exports {
            output,
            rules: RulesExport::new(rules),
        });
        Ok(())
    }
}

#[async_trait]
impl Define for DiscoveryRelabel {
    type Arguments = Arguments;
    type Exports = Exports;

    const NAME: &'static str = "discovery.relabel";
    const SUMMARY: &'static str = "Relabels, keeps and drops targets by rules over their labels.";

    fn build(context: Context, arguments: &Arguments) -> Result<Self, Error> {
        let component = Self { context };
        component.publish(arguments)?;
        Ok(component)
    }

    fn update(&self, arguments: &Arguments) -> Result<Reconfigured, Error> {
        self.publish(arguments)?;
        Ok(Reconfigured::Kept)
    }
}
