//! The crate from outside: conformance data, properties, layouts.

mod conformance;
mod layouts;
mod properties;
mod steady;
