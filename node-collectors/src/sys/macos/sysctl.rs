//! Values of the `sysctl(3)` tree, whatever their size.

use std::ffi::{CStr, c_int, c_uint, c_void};
use std::io;
use std::ptr;

use super::Kernel;
use crate::macos::calls::Sysctl;

/// Room that is tried first: every fixed-size value that is asked for fits.
const FIRST: usize = 512;
/// Most that is accepted: the list of a thousand interfaces is a tenth of it.
const LARGEST: usize = 16 << 20;
/// How often a value may grow between asking for its size and reading it.
const ATTEMPTS: usize = 8;

/// Reads a value into `out`. `call` is `sysctl` or `sysctlbyname` with the name set: it writes at most as many
/// bytes as the second argument says to the first (which may be null, to ask for the size), and the length of the
/// value to the second.
fn read(out: &mut Vec<u8>, call: impl Fn(*mut c_void, &mut usize) -> c_int) -> io::Result<()> {
    let mut room = out.capacity().clamp(FIRST, LARGEST);
    for _ in 0..ATTEMPTS {
        // Zeroed again for each call, so that nothing is taken for the kernel's that it did not write.
        out.clear();
        out.resize(room, 0);
        let mut length = room;
        if call(out.as_mut_ptr().cast(), &mut length) == 0 {
            out.truncate(length);
            return Ok(());
        }
        let error = io::Error::last_os_error();
        out.clear();
        match error.raw_os_error() {
            Some(libc::EINTR) => continue,
            Some(libc::ENOMEM) => {}
            _ => return Err(error),
        }
        let mut needed = 0;
        if call(ptr::null_mut(), &mut needed) != 0 {
            return Err(io::Error::last_os_error());
        }
        if needed > LARGEST {
            return Err(io::Error::other(format!("the value has {needed} bytes")));
        }
        // At least doubled: an estimate that is too small twice must not be tried again as it was.
        room = (needed + needed / 4).max(room * 2).min(LARGEST);
    }
    Err(io::Error::other("the value did not stop growing"))
}

impl Sysctl for Kernel {
    fn by_name(&self, name: &CStr, out: &mut Vec<u8>) -> io::Result<()> {
        read(out, |value, length| {
            // SAFETY: `name` ends in NUL; `value` is null or has room for `length` bytes, as `read` sees to; nothing
            // is set, since the new value is null.
            unsafe { libc::sysctlbyname(name.as_ptr(), value, length, ptr::null_mut(), 0) }
        })
    }

    fn by_numbers(&self, path: &[i32], out: &mut Vec<u8>) -> io::Result<()> {
        let count = c_uint::try_from(path.len()).map_err(io::Error::other)?;
        read(out, |value, length| {
            // SAFETY: `path` has `count` numbers, which the call only reads; `value` is null or has room for
            // `length` bytes, as `read` sees to; nothing is set, since the new value is null.
            unsafe { libc::sysctl(path.as_ptr().cast_mut(), count, value, length, ptr::null_mut(), 0) }
        })
    }
}
