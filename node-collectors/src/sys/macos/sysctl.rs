//! Values of the `sysctl(3)` tree, whatever their size.

use std::ffi::{CStr, c_int, c_uint, c_void};
use std::io;
use std::ptr;

use super::Kernel;
use crate::macos::calls::Sysctl;
use crate::macos::growing;

/// Gives address and size of `buffer` to `call`, null and 0 if there is none, and the size that `call` then puts
/// in the latter's place to the caller, at most that of the buffer.
fn with_buffer(
    buffer: Option<&mut [u8]>,
    call: impl FnOnce(*mut c_void, *mut usize) -> c_int,
) -> io::Result<usize> {
    let room = buffer.as_deref().map(<[u8]>::len);
    let start = buffer.map_or(ptr::null_mut(), |buffer| buffer.as_mut_ptr().cast());
    let mut length = room.unwrap_or(0);
    if call(start, &raw mut length) != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(length.min(room.unwrap_or(length)))
}

impl Sysctl for Kernel {
    fn by_name(&self, name: &CStr, out: &mut Vec<u8>) -> io::Result<()> {
        growing::value(out, |buffer| {
            with_buffer(buffer, |start, length| {
                // SAFETY: `name` ends in NUL. `start` is null or has room for as many bytes as `length` points to, and
                // the kernel writes no more. Nothing is set, since the new value is null.
                unsafe { libc::sysctlbyname(name.as_ptr(), start, length, ptr::null_mut(), 0) }
            })
        })
    }

    fn by_numbers(&self, path: &[i32], out: &mut Vec<u8>) -> io::Result<()> {
        let count = c_uint::try_from(path.len()).map_err(io::Error::other)?;
        growing::value(out, |buffer| {
            with_buffer(buffer, |start, length| {
                // SAFETY: `path` has `count` numbers, which are only read. `start` is null or has room for as many bytes
                // as `length` points to, and the kernel writes no more. Nothing is set, since the new value is null.
                unsafe { libc::sysctl(path.as_ptr().cast_mut(), count, start, length, ptr::null_mut(), 0) }
            })
        })
    }
}
