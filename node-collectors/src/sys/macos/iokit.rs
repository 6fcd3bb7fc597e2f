//! IOKit's declarations that are used here; the headers are those of IOKit.framework.

use std::ffi::{c_char, c_void};

use core_foundation::array::CFArrayRef;
use core_foundation::base::{CFAllocatorRef, CFTypeRef};
use core_foundation::dictionary::{CFDictionaryRef, CFMutableDictionaryRef};
use core_foundation::string::CFStringRef;
use core_foundation::uuid::CFUUIDRef;
use mach2::boolean::boolean_t;
use mach2::kern_return::kern_return_t;
use mach2::port::mach_port_t;

use super::smart::Unknown;

/// `io_object_t`, `<IOKit/IOTypes.h>`.
pub(super) type IoObject = mach_port_t;

/// The size of `io_name_t`, `<device/device_types.h>`.
pub(super) const NAME_SIZE: usize = 128;
/// `kIOReturnNotFound`, `<IOKit/IOReturn.h>`: `sys_iokit` (0x38 << 26), common subsystem, 0x2f0.
pub(super) const NOT_FOUND: kern_return_t = 0xe000_02f0_u32.cast_signed();
/// `kIOReturnNotPrivileged` and `kIOReturnNotPermitted`, `<IOKit/IOReturn.h>`, of the same system.
pub(super) const NOT_PRIVILEGED: kern_return_t = 0xe000_02c1_u32.cast_signed();
pub(super) const NOT_PERMITTED: kern_return_t = 0xe000_02e2_u32.cast_signed();
/// `kIOServicePlane`, `<IOKit/IOKitKeys.h>`.
pub(super) const SERVICE_PLANE: &std::ffi::CStr = c"IOService";
/// `kIORegistryIterateRecursively`, `<IOKit/IOKitKeys.h>`: towards the children.
pub(super) const RECURSIVELY: u32 = 1;
/// `kIOMainPortDefault`, `<IOKit/IOKitLib.h>`: stands for the default port.
pub(super) const MAIN_PORT: mach_port_t = 0;

#[link(name = "IOKit", kind = "framework")]
unsafe extern "C" {
    // <IOKit/IOKitLib.h>
    pub(super) fn IOServiceMatching(name: *const c_char) -> CFMutableDictionaryRef;
    pub(super) fn IOServiceGetMatchingServices(
        main_port: mach_port_t,
        matching: CFDictionaryRef,
        existing: *mut IoObject,
    ) -> kern_return_t;
    pub(super) fn IOIteratorNext(iterator: IoObject) -> IoObject;
    pub(super) fn IOIteratorIsValid(iterator: IoObject) -> boolean_t;
    pub(super) fn IOIteratorReset(iterator: IoObject);
    pub(super) fn IOObjectRelease(object: IoObject) -> kern_return_t;
    pub(super) fn IOObjectConformsTo(object: IoObject, class: *const c_char) -> boolean_t;
    pub(super) fn IORegistryEntryGetName(entry: IoObject, name: *mut c_char) -> kern_return_t;
    pub(super) fn IORegistryEntryGetParentEntry(
        entry: IoObject,
        plane: *const c_char,
        parent: *mut IoObject,
    ) -> kern_return_t;
    pub(super) fn IORegistryEntryCreateCFProperty(
        entry: IoObject,
        key: CFStringRef,
        allocator: CFAllocatorRef,
        options: u32,
    ) -> CFTypeRef;
    pub(super) fn IOServiceOpen(
        service: IoObject,
        task: mach_port_t,
        kind: u32,
        connection: *mut IoObject,
    ) -> kern_return_t;
    pub(super) fn IOServiceClose(connection: IoObject) -> kern_return_t;
    pub(super) fn IOConnectCallStructMethod(
        connection: IoObject,
        selector: u32,
        input: *const c_void,
        input_size: usize,
        output: *mut c_void,
        output_size: *mut usize,
    ) -> kern_return_t;
    pub(super) fn IORegistryEntrySearchCFProperty(
        entry: IoObject,
        plane: *const c_char,
        key: CFStringRef,
        allocator: CFAllocatorRef,
        options: u32,
    ) -> CFTypeRef;

    // <IOKit/IOCFPlugIn.h>
    pub(super) fn IOCreatePlugInInterfaceForService(
        service: IoObject,
        plug_in: CFUUIDRef,
        interface: CFUUIDRef,
        result: *mut *mut *mut Unknown,
        score: *mut i32,
    ) -> kern_return_t;
    pub(super) fn IODestroyPlugInInterface(plug_in: *mut *mut Unknown) -> kern_return_t;

    // <IOKit/ps/IOPowerSources.h>
    pub(super) fn IOPSCopyPowerSourcesInfo() -> CFTypeRef;
    pub(super) fn IOPSCopyPowerSourcesList(blob: CFTypeRef) -> CFArrayRef;
    pub(super) fn IOPSGetPowerSourceDescription(blob: CFTypeRef, source: CFTypeRef) -> CFDictionaryRef;

    // <IOKit/pwr_mgt/IOPMLib.h>
    pub(super) fn IOPMCopyCPUPowerStatus(status: *mut CFDictionaryRef) -> kern_return_t;
}
