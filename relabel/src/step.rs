//! One compiled rule: an arm and a function for each kind of action.
//!
//! Invariant: a step does to a label set what Prometheus' rule does, save for what the README lists.

use std::fmt::Write;

use ferroalloy_model::LabelsBuilder;
use ferroalloy_model::re2::Regex;

use crate::action::Action;
use crate::added::Added;
use crate::case;
use crate::config::Rule;
use crate::error::Error;
use crate::hashmod::hashmod;
use crate::naming::{NameScheme, Naming};
use crate::scratch::Scratch;
use crate::template::Template;

/// One compiled rule.
#[derive(Debug)]
pub(crate) enum Step {
    Replace(Replace),
    Filter {
        source: Source,
        regex: Regex,
        keep: bool,
    },
    Compare {
        source: Source,
        target: String,
        keep: bool,
    },
    HashMod {
        source: Source,
        target: String,
        modulus: u64,
    },
    Case {
        source: Source,
        target: String,
        map: fn(&str, &mut String),
    },
    MapNames {
        regex: Regex,
        replacement: Template,
    },
    FilterNames {
        regex: Regex,
        keep: bool,
    },
}

/// Which values a rule looks at.
#[derive(Debug)]
pub(crate) struct Source {
    names: Vec<String>,
    separator: String,
}

#[derive(Debug)]
pub(crate) struct Replace {
    source: Source,
    regex: Regex,
    target: Template,
    replacement: Template,
    written: NameScheme,
}

/// A label set that rules write to.
struct Target<'a> {
    labels: &'a mut LabelsBuilder,
    added: Option<&'a mut Added>,
}

impl Step {
    pub(crate) fn new(rule: &Rule, naming: Naming) -> Result<Self, Error> {
        let regex = rule.compile(naming)?;
        let source = Source {
            names: rule.source_labels.clone(),
            separator: rule.separator.clone(),
        };
        let target = rule.target_label.clone();
        Ok(match rule.action {
            Action::Replace => Self::Replace(Replace {
                source,
                target: Template::new(&rule.target_label, &regex),
                replacement: Template::new(&rule.replacement, &regex),
                regex,
                written: naming.written,
            }),
            Action::Keep => Self::Filter {
                source,
                regex,
                keep: true,
            },
            Action::Drop => Self::Filter {
                source,
                regex,
                keep: false,
            },
            Action::KeepEqual => Self::Compare {
                source,
                target,
                keep: true,
            },
            Action::DropEqual => Self::Compare {
                source,
                target,
                keep: false,
            },
            Action::HashMod => Self::HashMod {
                source,
                target,
                modulus: rule.modulus,
            },
            Action::Lowercase => Self::Case {
                source,
                target,
                map: case::push_lower,
            },
            Action::Uppercase => Self::Case {
                source,
                target,
                map: case::push_upper,
            },
            Action::LabelMap => Self::MapNames {
                replacement: Template::new(&rule.replacement, &regex),
                regex,
            },
            Action::LabelKeep => Self::FilterNames { regex, keep: true },
            Action::LabelDrop => Self::FilterNames { regex, keep: false },
        })
    }

    /// Whether the order in which earlier rules added labels can show in what the step does.
    pub(crate) fn sees_order(&self) -> bool {
        matches!(self, Self::MapNames { .. })
    }

    /// Runs the rule. False: the set is dropped.
    pub(crate) fn apply(
        &self,
        labels: &mut LabelsBuilder,
        scratch: &mut Scratch,
        order_matters: bool,
    ) -> bool {
        match self {
            Self::Filter { source, regex, keep } => {
                regex.is_match(source.join(labels, &mut scratch.joined)) == *keep
            }
            Self::Compare { source, target, keep } => {
                let other = labels.get(target).unwrap_or_default();
                (source.join(labels, &mut scratch.joined) == other) == *keep
            }
            Self::Replace(replace) => {
                if replace.expand(labels, scratch) {
                    Target {
                        labels,
                        added: order_matters.then_some(&mut scratch.added),
                    }
                    .set(&scratch.name, &scratch.value);
                }
                true
            }
            Self::HashMod {
                source,
                target,
                modulus,
            } => {
                let bucket = hashmod(source.join(labels, &mut scratch.joined), *modulus);
                scratch.value.clear();
                // Writing to a string does not fail.
                let _ = write!(scratch.value, "{bucket}");
                Target {
                    labels,
                    added: order_matters.then_some(&mut scratch.added),
                }
                .set(target, &scratch.value);
                true
            }
            Self::Case { source, target, map } => {
                scratch.value.clear();
                map(source.join(labels, &mut scratch.joined), &mut scratch.value);
                Target {
                    labels,
                    added: order_matters.then_some(&mut scratch.added),
                }
                .set(target, &scratch.value);
                true
            }
            Self::MapNames { regex, replacement } => {
                map_names(regex, replacement, labels, scratch, order_matters);
                true
            }
            Self::FilterNames { regex, keep } => {
                labels.retain(|name, _| {
                    let kept = regex.is_match(name) == *keep;
                    if order_matters && !kept {
                        scratch.added.remove(name);
                    }
                    kept
                });
                true
            }
        }
    }
}

impl Source {
    /// The joined values: borrowed from the label where there is only one.
    fn join<'a>(&self, labels: &'a LabelsBuilder, buffer: &'a mut String) -> &'a str {
        match &*self.names {
            [] => "",
            [name] => labels.get(name).unwrap_or_default(),
            names => {
                buffer.clear();
                for (index, name) in names.iter().enumerate() {
                    if index > 0 {
                        buffer.push_str(&self.separator);
                    }
                    buffer.push_str(labels.get(name).unwrap_or_default());
                }
                buffer
            }
        }
    }
}

impl Replace {
    /// Puts the label to set into the scratch's name and value. False: there is none.
    fn expand(&self, labels: &LabelsBuilder, scratch: &mut Scratch) -> bool {
        let Scratch {
            joined,
            name,
            value,
            captures,
            ..
        } = scratch;
        name.clear();
        value.clear();
        let text = self.source.join(labels, joined);
        if let (Some(target), Some(replacement)) = (self.target.as_literal(), self.replacement.as_literal()) {
            if !self.regex.is_match(text) {
                return false;
            }
            name.push_str(target);
            value.push_str(replacement);
        } else {
            if !self.regex.captures(text, captures) {
                return false;
            }
            self.target.expand(text, captures, name);
            self.replacement.expand(text, captures, value);
        }
        self.written.is_label_name(name)
    }
}

impl Target<'_> {
    fn set(&mut self, name: &str, value: &str) {
        self.labels.set(name, value);
        match self.added.as_deref_mut() {
            Some(added) if value.is_empty() => added.remove(name),
            Some(added) => added.insert(name),
            None => {}
        }
    }
}

/// Copies the labels whose names match. All are read before any is set, so no copy is copied again.
fn map_names(
    regex: &Regex,
    replacement: &Template,
    labels: &mut LabelsBuilder,
    scratch: &mut Scratch,
    order_matters: bool,
) {
    let Scratch {
        captures,
        added,
        mapped,
        mapped_ends,
        ..
    } = scratch;
    mapped.clear();
    mapped_ends.clear();
    let mut map = |name: &str, value: &str| {
        let found = match replacement.as_literal() {
            Some(_) => regex.is_match(name),
            None => regex.captures(name, captures),
        };
        if found {
            replacement.expand(name, captures, mapped);
            let name_end = mapped.len();
            mapped.push_str(value);
            mapped_ends.push((name_end, mapped.len()));
        }
    };
    for (name, value) in labels.iter().filter(|(name, _)| !added.contains(name)) {
        map(name, value);
    }
    for name in added.iter() {
        map(name, labels.get(name).unwrap_or_default());
    }
    let mut target = Target {
        labels,
        added: order_matters.then_some(added),
    };
    let mut start = 0;
    for (name_end, end) in mapped_ends.iter().copied() {
        let (name, value) = (&mapped[start..name_end], &mapped[name_end..end]);
        if !name.is_empty() {
            target.set(name, value);
        }
        start = end;
    }
}
