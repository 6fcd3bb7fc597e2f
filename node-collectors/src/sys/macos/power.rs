//! Power sources, and the limits that the power management sets.

use std::io;
use std::ptr;

use core_foundation::array::CFArray;
use core_foundation::base::{CFType, TCFType};

use super::Kernel;
use super::iokit;
use super::mach::check;
use super::pool::drained;
use super::property::{dictionary, owned};
use crate::macos::devices::{CpuPower, PowerSources};
use crate::macos::property::Dictionary;

impl PowerSources for Kernel {
    fn power_sources(&self) -> io::Result<Vec<Dictionary>> {
        drained(power_sources)
    }
}

impl CpuPower for Kernel {
    fn cpu_power_status(&self) -> io::Result<Option<Dictionary>> {
        drained(cpu_power_status)
    }
}

fn power_sources() -> io::Result<Vec<Dictionary>> {
    // SAFETY: takes nothing; the result is null or owned.
    let blob = unsafe { owned(iokit::IOPSCopyPowerSourcesInfo()) };
    let blob = blob.ok_or_else(|| io::Error::other("no power source information"))?;
    // SAFETY: a live blob of the call above; the result is null or owned.
    let list = unsafe { owned(iokit::IOPSCopyPowerSourcesList(blob.as_CFTypeRef()).cast()) };
    let list = list.and_then(|list| list.downcast::<CFArray>());
    let list = list.ok_or_else(|| io::Error::other("no list of power sources"))?;
    let mut sources = Vec::new();
    for source in list.get_all_values() {
        // SAFETY: the blob and the member of its list are alive. The result is null or lives as long as the blob;
        // wrapping retains it.
        let description = unsafe {
            let description = iokit::IOPSGetPowerSourceDescription(blob.as_CFTypeRef(), source);
            (!description.is_null()).then(|| CFType::wrap_under_get_rule(description.cast()))
        };
        sources.extend(description.as_ref().and_then(dictionary));
    }
    Ok(sources)
}

fn cpu_power_status() -> io::Result<Option<Dictionary>> {
    let mut status = ptr::null();
    // SAFETY: a place for the result, which is null or owned afterwards.
    let (code, status) = unsafe {
        let code = iokit::IOPMCopyCPUPowerStatus(&raw mut status);
        (code, owned(status.cast()))
    };
    if code == iokit::NOT_FOUND {
        return Ok(None);
    }
    check(code)?;
    Ok(status.as_ref().and_then(dictionary))
}
