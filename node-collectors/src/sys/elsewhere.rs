//! Stands in for the macOS kernel on other systems, so that all code is checked on each of them.

use std::ffi::CStr;
use std::io;

use crate::macos::calls::{Mach, MountTable, Sysctl};
use crate::macos::layout::vm_statistics64;

/// A kernel that refuses every call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel;

fn refuse<T>() -> io::Result<T> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system is not macOS",
    ))
}

impl Sysctl for Kernel {
    fn by_name(&self, _: &CStr, _: &mut Vec<u8>) -> io::Result<()> {
        refuse()
    }

    fn by_numbers(&self, _: &[i32], _: &mut Vec<u8>) -> io::Result<()> {
        refuse()
    }
}

impl Mach for Kernel {
    fn processor_ticks(&self, _: &mut Vec<u32>) -> io::Result<usize> {
        refuse()
    }

    fn vm_statistics(&self) -> io::Result<([u32; vm_statistics64::WORDS], usize)> {
        refuse()
    }

    fn page_size(&self) -> u64 {
        0
    }
}

impl MountTable for Kernel {
    fn mounts(&self, _: &mut Vec<u8>) -> io::Result<()> {
        refuse()
    }
}
