//! The mount table from `getfsstat(2)`.

use std::ffi::c_int;
use std::io;
use std::ptr;

use super::Kernel;
use crate::macos::calls::MountTable;
use crate::macos::growing;
use crate::macos::layout::statfs::SIZE;

impl MountTable for Kernel {
    fn mounts(&self, out: &mut Vec<u8>) -> io::Result<()> {
        growing::array(out, SIZE, |buffer| {
            let room = buffer.as_deref().map_or(0, <[u8]>::len);
            let room = c_int::try_from(room).map_err(io::Error::other)?;
            let start = buffer.map_or(ptr::null_mut(), |buffer| buffer.as_mut_ptr().cast());
            // SAFETY: the kernel writes whole structures, at most `room` bytes, to `start`, and nothing if it is null.
            // It copies bytes, so that the buffer need not be aligned.
            let count = unsafe { libc::getfsstat(start, room, libc::MNT_NOWAIT) };
            usize::try_from(count).map_err(|_| io::Error::last_os_error())
        })
    }
}
