#![doc = include_str!("../README.md")]

pub mod collectors;
#[doc = include_str!("../docs/macos.md")]
pub mod on_macos {}

mod build_info;
mod collector;
mod emit;
mod error;
mod filter;
mod flags;
mod kernel_file;
mod kernel_folder;
mod macos;
mod mode;
mod mountinfo;
#[cfg(target_os = "linux")]
mod netlink;
mod option;
mod probe;
mod read;
mod report;
mod roots;
mod rpc;
mod selection;
mod set;
mod suggest;
mod sys;
mod sysfs;
#[cfg(test)]
mod testing;
mod text;

pub use build_info::BuildInfo;
pub use collector::{Collector, Descriptor, Outcome, Platform, Support};
pub use collectors::Options;
pub use error::{Error, ErrorKind};
pub use mode::Mode;
pub use option::{OptionSpec, ValueKind};
pub use report::{Report, State, Status};
pub use roots::Roots;
pub use selection::registry;
pub use set::{Builder, NodeCollectors, option_spec};
