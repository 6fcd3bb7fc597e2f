//! The block `logging`.

use river_syntax::Block;

use super::{Descriptor, Setting};
use crate::arguments::choice;
use crate::logging::{self, Format, Verbosity};

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "logging",
    summary: "How much is logged, and in which form.",
    shape: <Logging as Block>::shape,
    check: |block, types| river_syntax::check_types::<Logging>(block, types),
    decode: |block, scope| {
        let logging: Logging = river_syntax::decode(block, scope)?;
        Ok(Box::new(logging))
    },
    default: || {
        Box::new(Logging {
            level: Level::Info,
            format: Form::Logfmt,
        })
    },
};

/// How much is logged, and in which form.
#[derive(Debug, Clone, PartialEq, Block)]
struct Logging {
    /// The least severe level that is written.
    #[river(default = Level::Info)]
    level: Level,
    /// The form of a line.
    #[river(default = Form::Logfmt)]
    format: Form,
}

choice! {
    /// How severe an event is.
    enum Level {
        /// Errors only.
        Error = "error",
        /// Warnings too.
        Warn = "warn",
        /// What an operator wants to know.
        Info = "info",
        /// What a developer wants to know.
        Debug = "debug",
    }
}

choice! {
    /// The form of a line.
    enum Form {
        /// `key=value` pairs.
        Logfmt = "logfmt",
        /// A JSON object.
        Json = "json",
    }
}

impl Setting for Logging {
    fn apply(self: Box<Self>) {
        let verbosity = match self.level {
            Level::Error => Verbosity::Error,
            Level::Warn => Verbosity::Warn,
            Level::Info => Verbosity::Info,
            Level::Debug => Verbosity::Debug,
        };
        let format = match self.format {
            Form::Logfmt => Format::Logfmt,
            Form::Json => Format::Json,
        };
        logging::configure(verbosity, format);
    }
}
