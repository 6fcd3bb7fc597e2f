//! The agent as a library: what the program `ferroalloy` is made of, so that tests and benches can run it in
//! their own process. See the README for the program.

#![deny(unsafe_code)]

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("Ferroalloy runs on Linux and macOS; Windows and other systems are not supported");

pub mod app;
mod arguments;
mod check;
pub mod cli;
pub mod component;
pub mod components;
pub mod config;
pub mod controller;
pub mod error;
pub mod graph;
pub mod health;
mod http;
pub mod in_process;
pub mod logging;
pub mod memory;
pub mod own_metrics;
mod process;
pub mod reference;
pub mod settings;
mod signals;
mod storage;
mod sys;
pub mod telemetry;
