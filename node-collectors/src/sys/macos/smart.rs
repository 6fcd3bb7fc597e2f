//! Health of NVMe drives through the plug-in that the system has for them. The plug-in is code of Apple's that is loaded
//! into the process, found by the type that the drive's driver names; no other is asked for.

use std::ffi::c_void;
use std::io;
use std::ptr;

use core_foundation::base::{TCFType, TCFTypeRef};
use core_foundation::string::CFString;
use core_foundation::uuid::{CFUUID, CFUUIDBytes, CFUUIDGetUUIDBytes};

use super::Kernel;
use super::iokit;
use super::mach::check;
use super::pool::drained;
use super::property::{owned, property};
use super::registry::{self, Object};
use crate::macos::devices::{Health, SMART_SIZE, Smart};
use crate::macos::property::Property;

/// `kIOPropertyNVMeSMARTCapableKey`.
const CAPABLE: &str = "NVMe SMART Capable";

/// `kIOCFPlugInInterfaceID`, `<IOKit/IOCFPlugIn.h>`.
const PLUG_IN: [u8; 16] = 0xc244_e858_109c_11d4_91d4_0050_e4c6_426f_u128.to_be_bytes();
/// `kIONVMeSMARTUserClientTypeID`.
const CLIENT: [u8; 16] = 0xaa0f_a6f9_c2d6_457f_b10b_59a1_3253_292f_u128.to_be_bytes();
/// `kIONVMeSMARTInterfaceID`.
const INTERFACE: [u8; 16] = 0xccd1_db19_fd9a_4daf_bf95_1245_4b23_0ab6_u128.to_be_bytes();

/// The beginning of every interface: `IUNKNOWN_C_GUTS`, `<CoreFoundation/CFPlugInCOM.h>`.
#[repr(C)]
pub(super) struct Unknown {
    reserved: *mut c_void,
    query_interface: Option<unsafe extern "C" fn(*mut c_void, CFUUIDBytes, *mut *mut c_void) -> i32>,
    add_ref: Option<unsafe extern "C" fn(*mut c_void) -> u32>,
    release: Option<unsafe extern "C" fn(*mut c_void) -> u32>,
}

/// `IONVMeSMARTInterface`, up to the function that is called.
#[repr(C)]
struct SmartInterface {
    unknown: Unknown,
    version: u16,
    revision: u16,
    read_data: Option<unsafe extern "C" fn(*mut c_void, *mut c_void) -> i32>,
}

const _: () = assert!(std::mem::offset_of!(SmartInterface, read_data) == 40);

/// The plug-in of a drive.
struct PlugIn(*mut *mut Unknown);

impl PlugIn {
    fn open(drive: &Object) -> io::Result<Self> {
        let client = uuid(CLIENT)?;
        let kind = uuid(PLUG_IN)?;
        let (mut plug_in, mut score) = (ptr::null_mut(), 0);
        // SAFETY: a live service, live identifiers, and places for the results.
        let code = unsafe {
            iokit::IOCreatePlugInInterfaceForService(
                drive.raw(),
                client.as_concrete_TypeRef(),
                kind.as_concrete_TypeRef(),
                &raw mut plug_in,
                &raw mut score,
            )
        };
        check(code)?;
        if plug_in.is_null() {
            return Err(io::Error::other("no plug-in"));
        }
        Ok(Self(plug_in))
    }

    fn interface(&self) -> io::Result<Interface> {
        let wanted = uuid(INTERFACE)?;
        let mut interface: *mut c_void = ptr::null_mut();
        // SAFETY: the plug-in is alive until `drop`, and points to its functions; a live identifier, and a place for the
        // result, which is null or owned.
        let code = unsafe {
            let functions = *self.0;
            let query = (!functions.is_null())
                .then(|| (*functions).query_interface)
                .flatten();
            let query = query.ok_or_else(|| io::Error::other("the plug-in has no interfaces"))?;
            query(
                self.0.cast(),
                CFUUIDGetUUIDBytes(wanted.as_concrete_TypeRef()),
                &raw mut interface,
            )
        };
        if code != 0 || interface.is_null() {
            return Err(io::Error::other(format!("the plug-in refused with {code:#x}")));
        }
        Ok(Interface(interface.cast()))
    }
}

impl Drop for PlugIn {
    fn drop(&mut self) {
        // SAFETY: the plug-in was given by `IOCreatePlugInInterfaceForService` and is given back once.
        let _ = unsafe { iokit::IODestroyPlugInInterface(self.0) };
    }
}

/// The interface to a drive's health.
struct Interface(*mut *mut SmartInterface);

impl Interface {
    fn log(&self) -> io::Result<[u8; SMART_SIZE]> {
        let mut log = [0; SMART_SIZE];
        // SAFETY: the interface is alive until `drop`, and points to its functions. The function writes a log page, which
        // has 512 bytes.
        let code = unsafe {
            let functions = *self.0;
            let read = (!functions.is_null()).then(|| (*functions).read_data).flatten();
            let read = read.ok_or_else(|| io::Error::other("the interface cannot read"))?;
            read(self.0.cast(), log.as_mut_ptr().cast())
        };
        check(code)?;
        Ok(log)
    }
}

impl Drop for Interface {
    fn drop(&mut self) {
        // SAFETY: the reference is ours and given back once.
        unsafe {
            let functions = *self.0;
            if let Some(release) = (!functions.is_null())
                .then(|| (*functions).unknown.release)
                .flatten()
            {
                release(self.0.cast());
            }
        }
    }
}

fn uuid(bytes: [u8; 16]) -> io::Result<CFUUID> {
    let text = format!("{:032x}", u128::from_be_bytes(bytes));
    let parts = [
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..],
    ];
    let text = CFString::new(&parts.join("-"));
    // SAFETY: the default allocator and a live text; the result is null or owned.
    let uuid = unsafe {
        owned(
            core_foundation::uuid::CFUUIDCreateFromString(ptr::null(), text.as_concrete_TypeRef())
                .as_void_ptr(),
        )
    };
    let uuid = uuid.and_then(|uuid| uuid.downcast::<CFUUID>());
    uuid.ok_or_else(|| io::Error::other("no identifier"))
}

/// The name of the nearest disk below the drive.
fn device(drive: &Object) -> Option<String> {
    let key = CFString::from_static_string("BSD Name");
    // SAFETY: a live object, a text that ends in NUL, a live key, the default allocator. The result is null or owned.
    let name = unsafe {
        owned(iokit::IORegistryEntrySearchCFProperty(
            drive.raw(),
            iokit::SERVICE_PLANE.as_ptr(),
            key.as_concrete_TypeRef(),
            ptr::null(),
            iokit::RECURSIVELY,
        ))
    };
    match property(&name?)? {
        Property::Text(name) => Some(name),
        _ => None,
    }
}

impl Smart for Kernel {
    fn health(&self) -> io::Result<Vec<Health>> {
        drained(health)
    }
}

fn health() -> io::Result<Vec<Health>> {
    let drives = registry::all(c"IOBlockStorageDevice")?;
    let capable = drives
        .iter()
        .filter(|drive| drive.properties(&[CAPABLE]).flag(CAPABLE) == Some(true));
    let mut answers = Vec::new();
    let mut refused = None;
    for drive in capable {
        // The interface is given back before the plug-in that it is of.
        match PlugIn::open(drive).and_then(|plug_in| plug_in.interface()?.log()) {
            Ok(log) => answers.push(Health {
                device: device(drive),
                log,
            }),
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) if answers.is_empty() => Err(error),
        _ => Ok(answers),
    }
}
