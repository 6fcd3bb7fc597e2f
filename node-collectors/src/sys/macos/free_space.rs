//! Space of volumes as Core Foundation tells it.

use std::ffi::c_void;
use std::ptr;

use core_foundation::base::{CFTypeRef, TCFType};
use core_foundation::error::CFErrorRef;
use core_foundation::number::CFNumber;
use core_foundation::string::CFStringRef;
use core_foundation::url::{CFURL, CFURLRef};

use super::Kernel;
use super::pool::drained;
use super::property::owned;
use crate::macos::devices::FreeSpace;

#[link(name = "CoreFoundation", kind = "framework")]
unsafe extern "C" {
    // <CoreFoundation/CFURL.h>
    static kCFURLVolumeAvailableCapacityForImportantUsageKey: CFStringRef;
    fn CFURLCopyResourcePropertyForKey(
        url: CFURLRef,
        key: CFStringRef,
        value: *mut c_void,
        error: *mut CFErrorRef,
    ) -> u8;
}

impl FreeSpace for Kernel {
    fn important_usage(&self, mount_point: &str) -> Option<f64> {
        drained(|| important_usage(mount_point))
    }
}

fn important_usage(mount_point: &str) -> Option<f64> {
    let url = CFURL::from_path(mount_point, true)?;
    let mut value: CFTypeRef = ptr::null();
    // SAFETY: a live URL, a key that the framework has, a place for the result, which is null or owned, and no
    // interest in the error.
    let (found, value) = unsafe {
        let found = CFURLCopyResourcePropertyForKey(
            url.as_concrete_TypeRef(),
            kCFURLVolumeAvailableCapacityForImportantUsageKey,
            (&raw mut value).cast(),
            ptr::null_mut(),
        );
        (found != 0, owned(value))
    };
    value.filter(|_| found)?.downcast::<CFNumber>()?.to_f64()
}
