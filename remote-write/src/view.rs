//! What an endpoint makes of a layout: external labels put in, its rules applied. Worked out once per layout, and patched when a few
//! series change; a sample costs a look at its slot's entry.
//!
//! External labels alone take a byte for each of them and series: where among the series' own labels it goes. Only series that
//! rules change are kept as series of their own.

use std::sync::Arc;

use ferroalloy_model::layout::Series;
use ferroalloy_model::{Labels, LabelsBuilder, Layout, LayoutBuilder, Pair, SourceId, StageKey};
use relabel::{Decision, Rules};

/// External labels and rules, as one stage of the way.
#[derive(Debug)]
pub(crate) struct Stage {
    key: StageKey,
    external: Box<[Pair]>,
    rules: Rules,
}

/// What the stage makes of the series of one layout.
#[derive(Debug)]
pub(crate) struct View {
    /// For each slot and external label, in which gap between the series' own labels it goes; see `ABSENT` and `FAR`.
    gaps: Box<[u8]>,
    /// For each slot, what the rules make of it; empty when there are no rules.
    fates: Box<[u32]>,
    /// The series that rules changed. It must not be derived from the layout that this view hangs on, which would then never go.
    changed: Option<Arc<Layout>>,
}

/// The series has a label of this name itself.
const ABSENT: u8 = u8::MAX;
/// Behind more labels than a byte counts.
const FAR: u8 = u8::MAX - 1;

/// The series goes out as it is, with external labels.
const KEPT: u32 = u32::MAX;
/// The series does not go out.
const DROPPED: u32 = u32::MAX - 1;

// === impl Stage ===

impl Stage {
    pub(crate) fn new(external: &Labels, rules: &Rules) -> Self {
        Self {
            key: StageKey::new(),
            external: external
                .iter()
                .map(|(name, value)| Pair::intern(name, value))
                .collect(),
            rules: rules.clone(),
        }
    }

    /// What this stage makes of `layout`; `None` when it changes nothing of any layout.
    pub(crate) fn view(&self, layout: &Arc<Layout>) -> Option<Arc<View>> {
        if self.external.is_empty() && self.rules.is_empty() {
            return None;
        }
        if let Some(known) = layout.attachment::<View>(&self.key) {
            return Some(known);
        }
        let parent = layout
            .parent_layout()
            .and_then(|parent| parent.attachment::<View>(&self.key));
        // Slots of series that are gone are not filled again: when they are most of them, everything is worked out anew.
        let parent = parent.filter(|parent| {
            parent
                .changed
                .as_ref()
                .is_none_or(|changed| changed.series_count() * 2 + 64 >= changed.len())
        });
        let view = Arc::new(Work::new(self, layout).run(parent.as_deref()));
        layout.attach(&self.key, view.clone());
        Some(view)
    }

    /// Calls with each label of the series at `slot` as it is sent, in order of name. False, without a call, when the series is not
    /// sent.
    #[inline]
    pub(crate) fn labels(
        &self,
        view: Option<&View>,
        layout: &Layout,
        slot: usize,
        label: &mut dyn FnMut(&Pair),
    ) -> bool {
        let series = layout.series(slot);
        let Some(view) = view else {
            series.pairs().for_each(label);
            return true;
        };
        match view.fates.get(slot).copied().unwrap_or(KEPT) {
            KEPT => {
                let count = self.external.len();
                let gaps = view
                    .gaps
                    .get(slot * count..(slot + 1) * count)
                    .unwrap_or_default();
                self.merged(series, gaps, label);
                true
            }
            DROPPED => false,
            index => {
                let Some(changed) = &view.changed else {
                    return false;
                };
                changed.series(index as usize).pairs().for_each(label);
                true
            }
        }
    }

    fn merged(&self, series: Series<'_>, gaps: &[u8], label: &mut dyn FnMut(&Pair)) {
        let mut own = series.pairs();
        let mut before = 0;
        for (external, gap) in self.external.iter().zip(gaps) {
            match *gap {
                ABSENT => continue,
                // Behind more labels than are counted it is the names that tell.
                FAR => {
                    let behind = series.pairs().skip(before);
                    let between = behind.take_while(|own| own.name() < external.name()).count();
                    own.by_ref().take(between).for_each(&mut *label);
                    before += between;
                }
                gap => {
                    let gap = usize::from(gap);
                    own.by_ref()
                        .take(gap.saturating_sub(before))
                        .for_each(&mut *label);
                    before = gap;
                }
            }
            label(external);
        }
        own.for_each(label);
    }
}

/// A view being made.
struct Work<'a> {
    stage: &'a Stage,
    layout: &'a Layout,
    labels: LabelsBuilder,
    gaps: Vec<u8>,
    fates: Vec<u32>,
    /// The series that rules changed, once there is one.
    changed: Option<LayoutBuilder>,
}

// === impl Work ===

impl<'a> Work<'a> {
    fn new(stage: &'a Stage, layout: &'a Layout) -> Self {
        Self {
            stage,
            layout,
            labels: LabelsBuilder::new(),
            gaps: Vec::new(),
            fates: Vec::new(),
            changed: None,
        }
    }

    fn run(mut self, parent: Option<&View>) -> View {
        let slots = self.layout.len();
        if let Some(parent) = parent {
            self.gaps.extend_from_slice(&parent.gaps);
            self.fates.extend_from_slice(&parent.fates);
            self.changed = parent.changed.as_ref().map(LayoutBuilder::from_parent);
        }
        self.gaps.resize(slots * self.stage.external.len(), ABSENT);
        if !self.stage.rules.is_empty() {
            self.fates.resize(slots, DROPPED);
        }
        if parent.is_some() {
            self.layout
                .changed()
                .iter()
                .for_each(|slot| self.slot(slot as usize));
        } else {
            (0..slots).for_each(|slot| self.slot(slot));
        }
        View {
            gaps: self.gaps.into(),
            fates: self.fates.into(),
            changed: self.changed.map(LayoutBuilder::build),
        }
    }

    fn slot(&mut self, slot: usize) {
        let series = self.layout.series(slot);
        let count = self.stage.external.len();
        for (gap, external) in self.gaps[slot * count..].iter_mut().zip(&self.stage.external) {
            *gap = gap_for(series, external);
        }
        if self.stage.rules.is_empty() {
            return;
        }
        self.labels.reset_pairs(series.iter());
        for external in &self.stage.external {
            if self.labels.get(external.name()).is_none() {
                self.labels.set(external.name(), external.value());
            }
        }
        let before = series.pairs().len()
            + self.gaps[slot * count..(slot + 1) * count]
                .iter()
                .filter(|gap| **gap != ABSENT)
                .count();
        // A series without a name would be refused, with all that is in the same request.
        let sent = !series.is_vacant()
            && self.stage.rules.apply(&mut self.labels) == Decision::Keep
            && self.labels.get("__name__").is_some();
        let last = self.fates[slot];
        self.fates[slot] = if !sent {
            DROPPED
        } else if self.unchanged(series, before) {
            KEPT
        } else {
            let builder = self
                .changed
                .get_or_insert_with(|| LayoutBuilder::new(SourceId::new(), self.layout.origin()));
            if last < DROPPED {
                builder.replace(last, self.labels.iter(), None);
                last
            } else {
                builder.push(self.labels.iter(), None)
            }
        };
        if last < DROPPED
            && self.fates[slot] >= DROPPED
            && let Some(builder) = &mut self.changed
        {
            builder.vacate(last);
        }
    }

    /// Whether the rules left the series and its external labels as they were.
    fn unchanged(&self, series: Series<'_>, count: usize) -> bool {
        let as_before = |(name, value): (&str, &str)| {
            let own = series.get(name);
            let external = || {
                self.stage
                    .external
                    .iter()
                    .find(|pair| pair.name() == name)
                    .map(Pair::value)
            };
            own.or_else(external) == Some(value)
        };
        self.labels.len() == count && self.labels.iter().all(as_before)
    }
}

/// In which gap between the series' labels the external label goes.
fn gap_for(series: Series<'_>, external: &Pair) -> u8 {
    let mut gap = 0;
    for own in series.pairs() {
        match own.name().cmp(external.name()) {
            std::cmp::Ordering::Less => gap += 1,
            std::cmp::Ordering::Equal => return ABSENT,
            std::cmp::Ordering::Greater => break,
        }
    }
    u8::try_from(gap).map_or(FAR, |gap| gap.min(FAR))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use relabel::{Action, Naming, Rule};

    use super::*;

    /// The series as this stage sends it.
    fn sent(stage: &Stage, layout: &Arc<Layout>, slot: usize) -> Option<Labels> {
        let mut labels = Vec::new();
        let view = stage.view(layout);
        let mut label = |pair: &Pair| labels.push((pair.name().to_owned(), pair.value().to_owned()));
        if !stage.labels(view.as_deref(), layout, slot, &mut label) {
            return None;
        }
        assert!(labels.is_sorted_by_key(|(name, _)| name), "{labels:?}");
        Some(Labels::from_pairs(labels))
    }

    /// The same by the book.
    fn expected(external: &Labels, rules: &Rules, series: &Labels) -> Option<Labels> {
        if series.is_empty() {
            return None;
        }
        let mut builder = LabelsBuilder::new();
        builder.reset(external);
        series.iter().for_each(|(name, value)| builder.set(name, value));
        let labels = rules.relabel(&builder.labels())?;
        (rules.is_empty() || labels.get("__name__").is_some()).then_some(labels)
    }

    fn rules(list: Vec<Rule>) -> Rules {
        Rules::new(list, Naming::UTF8).unwrap()
    }

    fn some_rules() -> impl Strategy<Value = Rules> {
        let drop_b = Rule {
            source_labels: vec!["__name__".into()],
            regex: "b".into(),
            action: Action::Drop,
            ..Rule::default()
        };
        let unlabel = Rule {
            regex: "c|x".into(),
            action: Action::LabelDrop,
            ..Rule::default()
        };
        let mark = Rule {
            source_labels: vec!["x".into()],
            regex: "1".into(),
            target_label: "marked".into(),
            replacement: "yes".into(),
            ..Rule::default()
        };
        let unname = Rule {
            source_labels: vec!["c".into()],
            regex: "2".into(),
            target_label: "__name__".into(),
            replacement: String::new(),
            ..Rule::default()
        };
        proptest::sample::subsequence(vec![drop_b, mark, unlabel, unname], 0..=4).prop_map(rules)
    }

    fn series() -> impl Strategy<Value = Labels> {
        let name = proptest::option::weighted(0.9, "[abd]");
        let others = proptest::collection::vec(("[A-Cc-ez]|cluster|replica", "[12]"), 0..4);
        (name, others).prop_map(|(name, others)| {
            Labels::from_pairs(
                name.into_iter()
                    .map(|name| ("__name__".to_owned(), name))
                    .chain(others),
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_view_is_what_the_labels_and_rules_make(
            rules in some_rules(),
            external in proptest::collection::vec(("[CXx]|cluster|replica", "[12]"), 0..3),
            first in proptest::collection::vec(series(), 1..8),
            changes in proptest::collection::vec(proptest::collection::vec((0_usize..10, series(), any::<bool>()), 0..4), 0..4),
        ) {
            let external = Labels::from_pairs(external);
            let stage = Stage::new(&external, &rules);
            let mut builder = LayoutBuilder::new(SourceId::new(), "test");
            for labels in &first {
                builder.push(labels.iter(), None);
            }
            let mut now = first;
            let mut layout = builder.build();
            for change in changes.into_iter().map(Some).chain([None]) {
                for (slot, labels) in now.iter().enumerate() {
                    if !layout.is_vacant(slot) {
                        prop_assert_eq!(sent(&stage, &layout, slot), expected(&external, &rules, labels));
                    }
                }
                let mut builder = LayoutBuilder::from_parent(&layout);
                builder.truncate_vacant(1);
                now.truncate(builder.len());
                for (slot, labels, gone) in change.into_iter().flatten() {
                    if slot < now.len() && gone {
                        builder.vacate(u32::try_from(slot).unwrap());
                    } else if slot < now.len() {
                        builder.replace(u32::try_from(slot).unwrap(), labels.iter(), None);
                        now[slot] = labels;
                    } else {
                        builder.push(labels.iter(), None);
                        now.push(labels);
                    }
                }
                layout = builder.build();
            }
        }
    }

    #[test]
    fn very_many_labels() {
        let pairs = (0..600).map(|n| (format!("l{n:03}"), "v".to_owned()));
        let labels = Labels::from_pairs(pairs.chain([("__name__".to_owned(), "m".to_owned())]));
        let external = Labels::from_pairs([("l100a", "x"), ("l400a", "x"), ("z", "x"), ("l500", "not")]);
        let mut builder = LayoutBuilder::new(SourceId::new(), "test");
        builder.push(labels.iter(), None);
        let layout = builder.build();
        let none = Rules::default();
        let stage = Stage::new(&external, &none);
        assert_eq!(sent(&stage, &layout, 0), expected(&external, &none, &labels));
    }

    #[test]
    fn nothing_to_do_costs_nothing() {
        let stage = Stage::new(&Labels::empty(), &Rules::default());
        let mut builder = LayoutBuilder::new(SourceId::new(), "test");
        builder.push([("__name__", "m")], None);
        let layout = builder.build();
        assert!(stage.view(&layout).is_none());
        assert_eq!(
            sent(&stage, &layout, 0),
            Some(Labels::from_pairs([("__name__", "m")]))
        );
    }
}
