//! Lists of rules, checked and compiled, and running them over a label set.
//!
//! Invariant: running allocates nothing once the buffers of the thread have seen the largest set.

use std::cell::RefCell;
use std::sync::Arc;

use ferroalloy_model::{Labels, LabelsBuilder};

use crate::config::Rule;
use crate::error::Error;
use crate::naming::Naming;
use crate::scratch::Scratch;
use crate::step::Step;

/// What became of a label set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum Decision {
    /// It is kept. It may have no labels left: what then is up to the caller.
    Keep,
    /// It is dropped. The labels are as the rule before left them.
    Drop,
}

/// A list of rules, checked and compiled. Cloning is reference counting; two lists are equal if they were configured
/// equal.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    configured: Vec<Rule>,
    naming: Naming,
    steps: Vec<Step>,
    /// Whether the order in which labels were added can show.
    order_matters: bool,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Rules {
    /// Checks and compiles a list of rules.
    pub fn new(rules: impl IntoIterator<Item = Rule>, naming: Naming) -> Result<Self, Error> {
        let configured: Vec<Rule> = rules.into_iter().collect();
        let steps = configured
            .iter()
            .enumerate()
            .map(|(index, rule)| Step::new(rule, naming).map_err(|error| error.in_rule(index)))
            .collect::<Result<Vec<_>, _>>()?;
        let order_matters = steps.iter().skip(1).any(Step::sees_order);
        Ok(Self {
            inner: Arc::new(Inner {
                configured,
                naming,
                steps,
                order_matters,
            }),
        })
    }

    /// The rules as they were configured.
    pub fn configured(&self) -> &[Rule] {
        &self.inner.configured
    }

    /// The name schemes they were checked with.
    pub fn naming(&self) -> Naming {
        self.inner.naming
    }

    /// Whether there are no rules, so that everything is kept as it is.
    pub fn is_empty(&self) -> bool {
        self.inner.steps.is_empty()
    }

    /// Runs the rules over a label set, in place.
    pub fn apply(&self, labels: &mut LabelsBuilder) -> Decision {
        if self.is_empty() {
            return Decision::Keep;
        }
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.added.clear();
            let order_matters = self.inner.order_matters;
            let kept = self
                .inner
                .steps
                .iter()
                .all(|step| step.apply(labels, scratch, order_matters));
            scratch.give_back();
            if kept { Decision::Keep } else { Decision::Drop }
        })
    }

    /// Runs the rules over a copy of a label set. None: it is dropped.
    pub fn relabel(&self, labels: &Labels) -> Option<Labels> {
        if self.is_empty() {
            return Some(labels.clone());
        }
        let mut builder = LabelsBuilder::new();
        builder.reset(labels);
        match self.apply(&mut builder) {
            Decision::Keep => Some(builder.labels()),
            Decision::Drop => None,
        }
    }
}

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
            || (self.inner.configured == other.inner.configured && self.inner.naming == other.inner.naming)
    }
}

impl Eq for Rules {}
