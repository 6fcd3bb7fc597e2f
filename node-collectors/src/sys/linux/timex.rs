//! adjtimex(2), asked without changing anything.

#![allow(unsafe_code, reason = "adjtimex has no safe wrapper")]

use std::io;
use std::mem::MaybeUninit;

/// The clock's state (`TIME_OK` 0 … `TIME_ERROR` 5) and its figures.
pub(crate) fn read() -> io::Result<(i32, libc::timex)> {
    let mut timex = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: the pointer is to a whole `timex`; all zero is a valid value of that plain struct, and its `modes` of 0
    // asks the kernel to change nothing.
    let state = unsafe { libc::adjtimex(timex.as_mut_ptr()) };
    if state < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: all zero was a valid value already, and the kernel wrote plain integers over it.
    Ok((state, unsafe { timex.assume_init() }))
}
