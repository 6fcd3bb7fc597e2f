//! The set of collectors that run together: built from roots, options and a selection, asked for metrics as often
//! as wanted, from any thread, and changed in place.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use ferroalloy_model::{Families, MetricKind, Reconfigured, text};

use crate::collector::{Collector, Context, Descriptor, Outcome, Platform};
use crate::collectors::{Options, REGISTRY, same_options};
use crate::error::{Error, ErrorKind};
use crate::mode::Mode;
use crate::option::OptionSpec;
use crate::report::{Report, State, Status};
use crate::roots::Roots;
use crate::selection::Selection;
use crate::suggest::nearest;
use crate::sys::unix::clock::monotonic;

/// What a set is made from: where to read, which collectors, with which options.
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use]
pub struct Builder {
    roots: Roots,
    options: Options,
    selection: Selection,
    mode: Mode,
}

impl Builder {
    /// Chooses between right numbers and node_exporter's.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Reads the file trees at `roots` instead of `/proc`, `/sys`, `/` and `/run/udev/data`.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    pub(crate) fn roots_mut(&mut self) -> &mut Roots {
        &mut self.roots
    }

    /// Sets the options of all collectors.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Changes options in place: `builder.configure(|options| options.cpu.guest = false)`.
    pub fn configure(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    /// Sets an option by node_exporter's flag name without `--collector.`, such as `cpu.guest`.
    /// An option of type list grows by the value.
    pub fn set(mut self, option: &str, value: &str) -> Result<Self, Error> {
        let Some(spec) = option_spec(option) else {
            let known = REGISTRY
                .iter()
                .flat_map(|descriptor| descriptor.options)
                .map(|spec| spec.name);
            let hint = nearest(option, known).map(|near| format!(", did you mean {near:?}?"));
            return Err(Error::option(format!(
                "option {option:?} is unknown{}",
                hint.unwrap_or_default()
            )));
        };
        (spec.set)(&mut self.options, value).map_err(|fault| Error::option(format!("{option}: {fault}")))?;
        Ok(self)
    }

    /// Switches a collector on. Of `enable` and `disable` for one name the last counts.
    pub fn enable(mut self, collector: impl Into<String>) -> Self {
        self.selection.named.insert(collector.into(), true);
        self
    }

    /// Switches a collector off.
    pub fn disable(mut self, collector: impl Into<String>) -> Self {
        self.selection.named.insert(collector.into(), false);
        self
    }

    /// Runs only what `enable` names, before or after this call.
    pub fn disable_defaults(mut self) -> Self {
        self.selection.defaults = false;
        self
    }

    /// Runs these collectors and forgets what was enabled or disabled before.
    pub fn only<N: Into<String>>(mut self, collectors: impl IntoIterator<Item = N>) -> Self {
        let named = collectors.into_iter().map(|name| (name.into(), true)).collect();
        self.selection = Selection {
            defaults: false,
            named,
        };
        self
    }

    /// Builds the set. A collector name or option that cannot be honoured is an error.
    pub fn build(self) -> Result<NodeCollectors, Error> {
        let set = Set::build(self, None)?;
        Ok(NodeCollectors {
            set: RwLock::new(Arc::new(set)),
        })
    }
}

/// The option of this name, and with it its kind, default and summary.
pub fn option_spec(name: &str) -> Option<&'static OptionSpec> {
    REGISTRY
        .iter()
        .flat_map(|descriptor| descriptor.options)
        .find(|spec| spec.name == name)
}

/// A set of collectors.
///
/// [`NodeCollectors::collect`] blocks while files are read and system calls are made; in an asynchronous program,
/// call it on a thread of its own. Calls may overlap.
#[derive(Debug)]
pub struct NodeCollectors {
    set: RwLock<Arc<Set>>,
}

impl NodeCollectors {
    /// The default set of this platform, over the live system.
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Chooses roots, collectors and options first.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Runs every collector of the set and adds their families to `out`, with `node_scrape_collector_duration_seconds` and
    /// `node_scrape_collector_success` for each. They run one after another, but those that were slow the last time run
    /// beside the others, each on a thread of its own.
    pub fn collect(&self, out: &mut Families) -> Report {
        self.current().collect(out, |_| true)
    }

    /// As [`NodeCollectors::collect`], of the collectors that `wanted` accepts by name.
    pub fn collect_some(&self, out: &mut Families, wanted: impl Fn(&str) -> bool) -> Report {
        self.current().collect(out, wanted)
    }

    /// The metrics as text in Prometheus' format 0.0.4.
    pub fn to_text(&self) -> Vec<u8> {
        let mut families = Families::new();
        self.collect(&mut families);
        let mut body = Vec::new();
        text::write(&families, &mut body);
        body
    }

    /// The collectors in the set, in order of name.
    pub fn collectors(&self) -> Vec<&'static Descriptor> {
        self.current()
            .members
            .iter()
            .map(|member| member.descriptor)
            .collect()
    }

    /// Takes over another configuration. Collectors whose part of it did not change go on with what they
    /// remember, such as the highest CPU counters; a run under way ends with the old configuration. After an error the old configuration stays.
    pub fn reconfigure(&self, new: Builder) -> Result<Reconfigured, Error> {
        let current = self.current();
        if current.builder != new {
            let next = Set::build(new, Some(&current))?;
            *self.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        }
        Ok(Reconfigured::Kept)
    }

    fn current(&self) -> Arc<Set> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A collector that takes this long waits for something: a device, a mount, another program.
const SLOW: Duration = Duration::from_millis(50);

/// A set as it runs; replaced as a whole.
struct Set {
    builder: Builder,
    members: Vec<Member>,
}

impl std::fmt::Debug for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.members.iter().map(|member| member.descriptor.name).collect();
        f.debug_struct("Set")
            .field("builder", &self.builder)
            .field("members", &names)
            .finish()
    }
}

#[derive(Clone)]
struct Member {
    descriptor: &'static Descriptor,
    collector: Arc<dyn Collector>,
    last: Arc<Mutex<Last>>,
    /// Whether the last run took long.
    slow: Arc<AtomicBool>,
}

/// How a collector's last run ended: what a change is measured against.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Last {
    Never,
    Data(Vec<String>),
    NoData,
    Failed(String),
}

impl Set {
    fn build(builder: Builder, previous: Option<&Self>) -> Result<Self, Error> {
        let chosen = builder.selection.resolve(REGISTRY, Platform::current())?;
        let enabled = |name: &str| chosen.iter().any(|descriptor| descriptor.name == name);
        let context = Context {
            // Elsewhere no collector exists that could be built.
            platform: Platform::current().unwrap_or(Platform::Linux),
            roots: &builder.roots,
            options: &builder.options,
            mode: builder.mode,
            enabled: &enabled,
        };
        // What a collector may look at besides its options has to be the same for it to be kept.
        let similar = previous.filter(|previous| {
            previous.builder.roots == builder.roots
                && previous.builder.mode == builder.mode
                && previous
                    .members
                    .iter()
                    .map(|member| member.descriptor.name)
                    .eq(chosen.iter().map(|new| new.name))
        });
        let mut members = Vec::with_capacity(chosen.len());
        for &descriptor in &chosen {
            let kept = similar.and_then(|previous| {
                let same = same_options(descriptor.name, &previous.builder.options, &builder.options);
                previous
                    .members
                    .iter()
                    .find(|member| same && member.descriptor.name == descriptor.name)
            });
            members.push(match kept {
                Some(member) => member.clone(),
                None => Member {
                    descriptor,
                    collector: (descriptor.build)(&context)?.into(),
                    last: Arc::new(Mutex::new(Last::Never)),
                    slow: Arc::default(),
                },
            });
        }
        Ok(Self { builder, members })
    }

    fn collect(&self, out: &mut Families, wanted: impl Fn(&str) -> bool) -> Report {
        let wanted = |member: &&Member| wanted(member.descriptor.name);
        let (slow, members): (Vec<bool>, Vec<&Member>) = self
            .members
            .iter()
            .filter(wanted)
            .map(|member| (member.slow.load(Ordering::Relaxed), member))
            .unzip();
        let statuses = if slow.contains(&true) {
            side_by_side(&members, &slow, out)
        } else {
            members.iter().map(|member| member.run(out)).collect()
        };
        write_statuses(&statuses, out);
        Report { statuses }
    }
}

fn alone(member: &Member) -> (Families, Status) {
    let mut families = Families::new();
    let status = member.run(&mut families);
    (families, status)
}

/// Runs those that are slow on threads of their own, and the others meanwhile. What they say comes in the same order as ever.
fn side_by_side(members: &[&Member], slow: &[bool], out: &mut Families) -> Vec<Status> {
    std::thread::scope(|scope| {
        let start = |member| {
            let thread = std::thread::Builder::new();
            // Without a thread it has to wait its turn.
            thread.spawn_scoped(scope, move || alone(member)).ok()
        };
        let started: Vec<_> = members
            .iter()
            .zip(slow)
            .map(|(&member, &slow)| slow.then(|| start(member)).flatten())
            .collect();
        let quick: Vec<_> = members
            .iter()
            .zip(&started)
            .map(|(member, thread)| thread.is_none().then(|| alone(member)))
            .collect();
        started
            .into_iter()
            .zip(quick)
            .filter_map(|(thread, quick)| {
                let (families, status) = match thread {
                    Some(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
                    None => quick?,
                };
                out.append(&families);
                Some(status)
            })
            .collect()
    })
}

impl Member {
    fn run(&self, out: &mut Families) -> Status {
        let start = monotonic();
        // `Families` is only added to, and collectors recover their locks: nothing is left half-changed that a later
        // run could trip over.
        let result = catch_unwind(AssertUnwindSafe(|| self.collector.update(out)));
        let duration = monotonic().saturating_sub(start);
        self.slow.store(duration >= SLOW, Ordering::Relaxed);
        let state = match result {
            Ok(Ok(Outcome::Data)) => State::Data,
            Ok(Ok(Outcome::NoData)) => State::NoData,
            Ok(Err(error)) => State::Failed(error),
            Err(payload) => State::Failed(panic_error(payload.as_ref())),
        };
        let warnings = self.collector.warnings();
        let changed = self.remember(&state, &warnings);
        Status {
            collector: self.descriptor.name,
            duration,
            state,
            warnings,
            changed,
        }
    }

    fn remember(&self, state: &State, warnings: &[String]) -> bool {
        let now = match state {
            State::Data => Last::Data(warnings.to_vec()),
            State::NoData => Last::NoData,
            State::Failed(error) => Last::Failed(error.to_line()),
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let quiet_start = *last == Last::Never && now == Last::Data(Vec::new());
        let changed = *last != now && !quiet_start;
        *last = now;
        changed
    }
}

fn panic_error(payload: &(dyn std::any::Any + Send)) -> Error {
    let said = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Error::new(ErrorKind::Panic, format!("the collector panicked: {said}"))
}

fn write_statuses(statuses: &[Status], out: &mut Families) {
    let mut family = out.family(
        "node_scrape_collector_duration_seconds",
        "node_exporter: Duration of a collector scrape.",
        MetricKind::Gauge,
    );
    for status in statuses {
        family.sample(&[("collector", status.collector)], status.duration.as_secs_f64());
    }
    let mut family = out.family(
        "node_scrape_collector_success",
        "node_exporter: Whether a collector succeeded.",
        MetricKind::Gauge,
    );
    for status in statuses {
        let success = matches!(status.state, State::Data);
        family.sample(&[("collector", status.collector)], f64::from(u8::from(success)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use ferroalloy_model::families::FamilyRef;

    use super::*;
    use crate::collector::Support;
    use crate::testing::lines;

    /// Waits for another one of its kind, and says which it is.
    struct Meets(&'static str, Arc<Barrier>);

    impl Collector for Meets {
        fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
            self.1.wait();
            out.single(self.0, "", MetricKind::Gauge, 1.0);
            out.single("all", self.0, MetricKind::Gauge, 1.0);
            Ok(Outcome::Data)
        }
    }

    fn member(name: &'static str, barrier: &Arc<Barrier>, slow: bool) -> Member {
        let descriptor = Descriptor {
            name,
            linux: Support::On,
            macos: Support::On,
            summary: "",
            sources: &[],
            families: &[],
            options: &[],
            build: |_| Err(Error::option("")),
        };
        Member {
            descriptor: Box::leak(Box::new(descriptor)),
            collector: Arc::new(Meets(name, Arc::clone(barrier))),
            last: Arc::new(Mutex::new(Last::Never)),
            slow: Arc::new(slow.into()),
        }
    }

    #[test]
    fn slow_ones_run_beside_the_others_and_come_in_order() {
        // One after another they would never meet.
        let barrier = Arc::new(Barrier::new(3));
        let set = Set {
            builder: Builder::default(),
            members: vec![
                member("a", &barrier, true),
                member("b", &barrier, false),
                member("c", &barrier, true),
            ],
        };
        let mut out = Families::new();
        let report = set.collect(&mut out, |_| true);
        let names: Vec<_> = report.statuses().iter().map(|status| status.collector).collect();
        assert_eq!(names, ["a", "b", "c"]);
        let all = out.iter().filter(|family| family.name() == "all");
        assert_eq!(all.map(FamilyRef::help).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(lines(&out).iter().any(|line| line == "c 1"));
    }
}
