//! What macOS says of devices, one trait for each kind of call. As with [`super::calls`], `sys::Kernel` asks the
//! running system, and tests give recorded answers.

use std::ffi::CStr;
use std::io;

use crate::macos::property::Dictionary;

/// Which entries of IOKit's registry are wanted, and what of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query {
    /// The class that the entry is of or inherits from.
    pub(crate) class: &'static CStr,
    /// Properties that are read.
    pub(crate) keys: &'static [&'static str],
    /// The class that its parent in the service plane has to be of, and what is read of that.
    pub(crate) parent: Option<(&'static CStr, &'static [&'static str])>,
}

/// An entry of IOKit's registry with the properties that were asked for and exist.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Entry {
    /// Its name in the service plane.
    pub(crate) name: String,
    pub(crate) properties: Dictionary,
    /// Empty if no parent was asked for.
    pub(crate) parent: Dictionary,
}

/// IOKit's registry of devices and drivers, `<IOKit/IOKitLib.h>`.
pub(crate) trait Registry: Send + Sync {
    /// All entries that match; none is no error.
    fn entries(&self, query: &Query) -> io::Result<Vec<Entry>>;
}

/// Batteries and uninterruptible power supplies, `<IOKit/ps/IOPowerSources.h>`.
pub(crate) trait PowerSources: Send + Sync {
    /// The description of each; none on a Mac without any.
    fn power_sources(&self) -> io::Result<Vec<Dictionary>>;
}

/// How the power management limits the processors, `<IOKit/pwr_mgt/IOPMLib.h>`.
pub(crate) trait CpuPower: Send + Sync {
    /// `None` if none was ever recorded: always on Apple silicon, on Intel until the first limit.
    fn cpu_power_status(&self) -> io::Result<Option<Dictionary>>;
}

/// Temperature sensors of the HID event system. The calls are exported by IOKit but in no public header.
pub(crate) trait Sensors: Send + Sync {
    /// Name, if it has one, and degrees Celsius of each. Without the calls or such sensors: none.
    fn temperatures(&self) -> io::Result<Vec<(Option<String>, f64)>>;
}

/// Values that the system publishes under a name, `<notify.h>`.
pub(crate) trait Notifications: Send + Sync {
    fn state(&self, name: &CStr) -> io::Result<u64>;
}

/// The system management controller, behind the user client of `AppleSMC`.
pub(crate) trait Smc: Send + Sync {
    /// One exchange of `macos::smc`'s structure; `None` if this Mac has no such controller.
    fn exchange(&self, request: &[u8; SMC_SIZE]) -> io::Result<Option<[u8; SMC_SIZE]>>;
}

/// Bytes of the controller's structure.
pub(crate) const SMC_SIZE: usize = 80;

/// A channel of IOReport.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Channel {
    pub(crate) name: String,
    /// The unit of the value, or of the time in each state.
    pub(crate) unit: String,
    pub(crate) reading: Reading,
}

/// What a channel counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reading {
    Simple(i64),
    /// Time by state, in the driver's order.
    States(Vec<(String, i64)>),
}

/// Channels of IOReport, a library of the system without public header.
pub(crate) trait Reports: Send + Sync {
    /// The channels of a group, and of a subgroup of it if one is named. Without the library or the group: none.
    fn channels(&self, group: &'static str, subgroup: Option<&'static str>) -> io::Result<Vec<Channel>>;
}

/// The service manager, launchd.
pub(crate) trait Services: Send + Sync {
    /// Replaces the content of `out` by what `launchctl list` prints.
    fn list(&self, out: &mut Vec<u8>) -> io::Result<()>;
}

/// Space that a volume has for what its user cannot do without. Asks a daemon, and may block.
pub(crate) trait FreeSpace: Send + Sync + 'static {
    /// `kCFURLVolumeAvailableCapacityForImportantUsageKey`, bytes; `None` if the volume does not tell.
    fn important_usage(&self, mount_point: &str) -> Option<f64>;
}

/// Bytes of an NVMe drive's log page 2, "SMART / Health Information".
pub(crate) const SMART_SIZE: usize = 512;

/// The health of a drive as it tells it itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Health {
    /// The name of its whole disk, such as `disk0`.
    pub(crate) device: Option<String>,
    pub(crate) log: [u8; SMART_SIZE],
}

/// NVMe drives, `<IOKit/storage/nvme/NVMeSMARTLibExternal.h>`.
pub(crate) trait Smart: Send + Sync {
    /// The log of each drive that is capable of it and answers.
    fn health(&self) -> io::Result<Vec<Health>>;
}
