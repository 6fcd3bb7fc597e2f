//! The mount table from `getfsstat(2)`.

use std::ffi::c_int;
use std::io;
use std::ptr;

use super::Kernel;
use crate::macos::calls::MountTable;
use crate::macos::layout::statfs::SIZE;

/// Room for mounts that appear between counting and reading.
const SPARE: usize = 8;
/// How often the table may outgrow that.
const ATTEMPTS: usize = 8;

/// How many mounts there are, or were written to the `room` bytes at `buffer`.
fn getfsstat(buffer: *mut libc::statfs, room: c_int) -> io::Result<usize> {
    // SAFETY: the kernel writes whole structures, at most `room` bytes, to `buffer`, and nothing if it is null. It
    // copies bytes, so that the buffer need not be aligned.
    let count = unsafe { libc::getfsstat(buffer, room, libc::MNT_NOWAIT) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

impl MountTable for Kernel {
    fn mounts(&self, out: &mut Vec<u8>) -> io::Result<()> {
        for _ in 0..ATTEMPTS {
            let places = getfsstat(ptr::null_mut(), 0)? + SPARE;
            let room = places * SIZE;
            out.clear();
            out.resize(room, 0);
            let count = getfsstat(
                out.as_mut_ptr().cast(),
                c_int::try_from(room).map_err(io::Error::other)?,
            )?;
            // A full buffer may have cut the table short.
            if count < places {
                out.truncate(count * SIZE);
                return Ok(());
            }
        }
        out.clear();
        Err(io::Error::other("the mount table did not stop growing"))
    }
}
