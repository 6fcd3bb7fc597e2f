//! Stands in for the macOS kernel on other systems, so that all code is checked on each of them.

use std::ffi::CStr;
use std::io;

use crate::macos::calls::{Mach, MountTable, Sysctl};
use crate::macos::devices::{
    Channel, CpuPower, Entry, FreeSpace, Health, Notifications, PowerSources, Query, Registry, Reports,
    SMC_SIZE, Sensors, Services, Smart, Smc,
};
use crate::macos::layout::vm_statistics64;
use crate::macos::property::Dictionary;

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

impl Registry for Kernel {
    fn entries(&self, _: &Query) -> io::Result<Vec<Entry>> {
        refuse()
    }
}

impl PowerSources for Kernel {
    fn power_sources(&self) -> io::Result<Vec<Dictionary>> {
        refuse()
    }
}

impl CpuPower for Kernel {
    fn cpu_power_status(&self) -> io::Result<Option<Dictionary>> {
        refuse()
    }
}

impl Sensors for Kernel {
    fn temperatures(&self) -> io::Result<Vec<(Option<String>, f64)>> {
        refuse()
    }
}

impl Notifications for Kernel {
    fn state(&self, _: &CStr) -> io::Result<u64> {
        refuse()
    }
}

impl Smc for Kernel {
    fn exchange(&self, _: &[u8; SMC_SIZE]) -> io::Result<Option<[u8; SMC_SIZE]>> {
        refuse()
    }
}

impl Reports for Kernel {
    fn channels(&self, _: &'static str, _: Option<&'static str>) -> io::Result<Vec<Channel>> {
        refuse()
    }
}

impl Services for Kernel {
    fn list(&self, _: &mut Vec<u8>) -> io::Result<()> {
        refuse()
    }
}

impl FreeSpace for Kernel {
    fn important_usage(&self, _: &str) -> Option<f64> {
        None
    }
}

impl Smart for Kernel {
    fn health(&self) -> io::Result<Vec<Health>> {
        refuse()
    }
}
