//! The log: one line an event on standard error, in Alloy's logfmt form or as JSON.
//!
//! Level and format can change while the program runs, by the `logging` block of a reloaded configuration.

mod fields;

use std::io::Write;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing::{Event, Level, Metadata, Subscriber, span, subscriber::Interest};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

use fields::Fields;

/// How an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Format {
    /// `ts=… level=info msg="…" key=value`
    #[default]
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// How much is logged: an event is written if it is at least as severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Verbosity {
    /// What went wrong for good.
    Error,
    /// What will go wrong if nobody looks.
    Warn,
    /// What an operator wants to know of a healthy process.
    #[default]
    Info,
    /// What a developer wants to know.
    Debug,
}

static VERBOSITY: AtomicU8 = AtomicU8::new(Verbosity::Info as u8);
static FORMAT: AtomicU8 = AtomicU8::new(Format::Logfmt as u8);

/// Starts logging; a second call (tests run several agents in one process) changes nothing.
pub fn install() {
    // Only one subscriber can be set; that it is there already is what is wanted.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(LogLayer));
}

/// Changes level and format.
pub fn configure(verbosity: Verbosity, format: Format) {
    VERBOSITY.store(verbosity as u8, Ordering::Relaxed);
    FORMAT.store(format as u8, Ordering::Relaxed);
}

#[derive(Debug)]
struct LogLayer;

fn rank(level: Level) -> u8 {
    match level {
        Level::ERROR => Verbosity::Error as u8,
        Level::WARN => Verbosity::Warn as u8,
        Level::INFO => Verbosity::Info as u8,
        _ => Verbosity::Debug as u8,
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        _ => "debug",
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // The level changes at run time: nothing may be cached.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.is_span() || rank(*metadata.level()) <= VERBOSITY.load(Ordering::Relaxed)
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some(scope) = context.event_scope(event) {
            for span in scope.from_root() {
                if let Some(inherited) = span.extensions().get::<Fields>() {
                    fields.inherit(inherited);
                }
            }
        }
        let time = jiff::Timestamp::now();
        let level = level_name(*event.metadata().level());
        let line = if FORMAT.load(Ordering::Relaxed) == Format::Json as u8 {
            fields.json(time, level)
        } else {
            fields.logfmt(time, level)
        };
        // A closed standard error must not end the agent.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}
