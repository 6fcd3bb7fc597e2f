//! Statistics of the Mach host. A port right and memory that the kernel hands over are given back on every path.

use std::io;

use libc::{integer_t, mach_msg_type_number_t, natural_t, vm_address_t, vm_size_t};
use mach2::kern_return::{KERN_SUCCESS, kern_return_t};
use mach2::mach_init::mach_host_self;
use mach2::mach_port::mach_port_deallocate;
use mach2::port::{MACH_PORT_NULL, mach_port_t};
use mach2::traps::mach_task_self;
use mach2::vm_page_size::vm_kernel_page_size;

use super::Kernel;
use super::iokit;
use crate::macos::calls::Mach;
use crate::macos::layout::vm_statistics64::WORDS;

/// A send right to the host's port; each call to `mach_host_self` adds one, which has to be given back.
struct HostPort(mach_port_t);

impl HostPort {
    fn open() -> io::Result<Self> {
        // SAFETY: takes no argument and touches no memory of ours.
        let port = unsafe { mach_host_self() };
        if port == MACH_PORT_NULL {
            return Err(io::Error::other("the host port is not available"));
        }
        Ok(Self(port))
    }
}

impl Drop for HostPort {
    fn drop(&mut self) {
        // SAFETY: the right was given to this task by `mach_host_self` and is given back once. Failure would
        // mean that it is gone already.
        let _ = unsafe { mach_port_deallocate(mach_task_self(), self.0) };
    }
}

/// An array that the kernel mapped into this task.
struct KernelArray {
    start: *mut integer_t,
    count: mach_msg_type_number_t,
}

impl KernelArray {
    fn words(&self) -> &[u32] {
        if self.start.is_null() {
            return &[];
        }
        // SAFETY: the kernel mapped `count` integers at `start`, page-aligned, which stay until `drop`; nobody
        // writes to them. `integer_t` is 32 bits wide, and every pattern of them is a `u32`.
        unsafe { std::slice::from_raw_parts(self.start.cast::<u32>(), self.count as usize) }
    }
}

impl Drop for KernelArray {
    fn drop(&mut self) {
        if self.start.is_null() {
            return;
        }
        let size = self.count as vm_size_t * size_of::<integer_t>();
        // SAFETY: the memory was mapped for this task by the kernel, of this size, and is given back once; no
        // reference to it outlives `self`.
        let _ = unsafe { libc::vm_deallocate(mach_task_self(), self.start as vm_address_t, size) };
    }
}

pub(super) fn check(code: kern_return_t) -> io::Result<()> {
    match code {
        KERN_SUCCESS => Ok(()),
        iokit::NOT_PRIVILEGED | iokit::NOT_PERMITTED => Err(io::ErrorKind::PermissionDenied.into()),
        _ => Err(io::Error::other(format!("mach error {code:#x}"))),
    }
}

impl Mach for Kernel {
    fn processor_ticks(&self, ticks: &mut Vec<u32>) -> io::Result<usize> {
        let host = HostPort::open()?;
        let mut processors: natural_t = 0;
        let mut array = KernelArray {
            start: std::ptr::null_mut(),
            count: 0,
        };
        // SAFETY: the three results are written to places that live through the call; the array is owned by
        // `array` afterwards.
        let code = unsafe {
            libc::host_processor_info(
                host.0,
                libc::PROCESSOR_CPU_LOAD_INFO,
                &raw mut processors,
                &raw mut array.start,
                &raw mut array.count,
            )
        };
        check(code)?;
        ticks.clear();
        ticks.extend_from_slice(array.words());
        Ok(processors as usize)
    }

    fn vm_statistics(&self) -> io::Result<([u32; WORDS], usize)> {
        let host = HostPort::open()?;
        let mut words = [0_u32; WORDS];
        let mut count = mach_msg_type_number_t::try_from(WORDS).map_err(io::Error::other)?;
        // SAFETY: the kernel writes at most `count` integers of 32 bits, which is what `words` has, and then the
        // number written to `count`.
        let code = unsafe {
            libc::host_statistics64(
                host.0,
                libc::HOST_VM_INFO64,
                words.as_mut_ptr().cast::<integer_t>(),
                &raw mut count,
            )
        };
        check(code)?;
        Ok((words, (count as usize).min(WORDS)))
    }

    fn page_size(&self) -> u64 {
        // SAFETY: a word that the system library sets before `main` and nobody writes afterwards.
        unsafe { vm_kernel_page_size as u64 }
    }
}
