//! The kernel's calls behind macOS collectors, one trait for each kind. The implementation for the running
//! system is `sys::Kernel`; tests give recorded answers.

use std::ffi::CStr;
use std::io;

use crate::error::{Error, ErrorKind};
use crate::macos::layout::vm_statistics64;

/// The `sysctl(3)` tree.
pub(crate) trait Sysctl: Send + Sync {
    /// Replaces the content of `out` by the value called `name`.
    fn by_name(&self, name: &CStr, out: &mut Vec<u8>) -> io::Result<()>;

    /// As [`Sysctl::by_name`], of a value that only has numbers.
    fn by_numbers(&self, path: &[i32], out: &mut Vec<u8>) -> io::Result<()>;
}

/// Statistics that the Mach half of the kernel keeps of the host.
pub(crate) trait Mach: Send + Sync {
    /// Replaces the content of `ticks` by `host_processor_info(PROCESSOR_CPU_LOAD_INFO)`: for each processor its
    /// ticks per state, 32 bits each. Gives the number of processors.
    fn processor_ticks(&self, ticks: &mut Vec<u32>) -> io::Result<usize>;

    /// `host_statistics64(HOST_VM_INFO64)` as 32-bit words, and how many of them the kernel filled.
    fn vm_statistics(&self) -> io::Result<([u32; vm_statistics64::WORDS], usize)>;

    /// Bytes in a page as the kernel counts them: 16384 on Apple silicon, 4096 on Intel.
    fn page_size(&self) -> u64;
}

/// The mount table.
pub(crate) trait MountTable: Send + Sync {
    /// Replaces the content of `out` by an array of `struct statfs`, from `getfsstat(MNT_NOWAIT)`: numbers the
    /// kernel has at hand, so that a server that does not answer cannot block the call.
    fn mounts(&self, out: &mut Vec<u8>) -> io::Result<()>;
}

/// The value called `name`, taken apart by `parse`; `None` from it means that the value is not what it should be.
pub(crate) fn value<T>(
    sysctl: &impl Sysctl,
    name: &CStr,
    parse: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, Error> {
    let mut bytes = Vec::new();
    let called = || format!("sysctl {}", name.to_string_lossy());
    sysctl
        .by_name(name, &mut bytes)
        .map_err(|error| Error::system(&called(), error))?;
    parse(&bytes).ok_or_else(|| unexpected(&called(), bytes.len()))
}

/// The error for an answer of `length` bytes to `call` that is too short or makes no sense.
pub(crate) fn unexpected(call: &str, length: usize) -> Error {
    Error::new(
        ErrorKind::Parse,
        format!("{call}: unexpected answer of {length} bytes"),
    )
}
