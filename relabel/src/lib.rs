#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod action;
mod added;
mod case;
mod config;
mod error;
mod hashmod;
mod layout;
mod naming;
mod rules;
mod scratch;
mod step;
mod template;

pub use ferroalloy_model::re2::{Captures, Regex};
pub use ferroalloy_model::{Labels, LabelsBuilder, Layout};

pub use action::Action;
pub use config::Rule;
pub use error::{Error, ErrorKind};
pub use layout::{LayoutRelabeler, Relabeled};
pub use naming::{NameScheme, Naming};
pub use rules::{Decision, Rules};
pub use template::Template;
