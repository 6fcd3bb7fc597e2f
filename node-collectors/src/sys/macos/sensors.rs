//! Temperatures from the HID event system.
//!
//! The functions are exported by IOKit.framework and declared in no public header, so they are looked up by name, and
//! a system without them has no sensors. Their signatures are those of IOHIDFamily's sources
//! (IOHIDEventSystemClient.h, IOHIDServiceClient.h, IOHIDEvent.h).

use std::io;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use core_foundation::array::{CFArray, CFArrayRef};
use core_foundation::base::{CFAllocatorRef, CFType, CFTypeRef, TCFType};
use core_foundation::dictionary::{CFDictionary, CFDictionaryRef};
use core_foundation::number::CFNumber;
use core_foundation::string::{CFString, CFStringRef};

use super::Kernel;
use super::pool::drained;
use super::property::owned;
use super::symbol::{Library, functions};
use crate::macos::devices::Sensors;

/// `kHIDPage_AppleVendor`.
const PAGE: i32 = 0xff00;
/// `kHIDUsage_AppleVendor_TemperatureSensor`.
const USAGE: i32 = 5;
/// `kIOHIDEventTypeTemperature`.
const EVENT: i64 = 15;
/// `kIOHIDEventFieldTemperatureLevel`: the type in the upper half, field 0.
const FIELD: i32 = 15 << 16;

functions! {
    struct Functions in Library::Loaded;
    fn create as c"IOHIDEventSystemClientCreate"(CFAllocatorRef) -> CFTypeRef;
    fn set_matching as c"IOHIDEventSystemClientSetMatching"(CFTypeRef, CFDictionaryRef) -> i32;
    fn copy_services as c"IOHIDEventSystemClientCopyServices"(CFTypeRef) -> CFArrayRef;
    fn copy_property as c"IOHIDServiceClientCopyProperty"(CFTypeRef, CFStringRef) -> CFTypeRef;
    fn copy_event as c"IOHIDServiceClientCopyEvent"(CFTypeRef, i64, i32, i64) -> CFTypeRef;
    fn float_value as c"IOHIDEventGetFloatValue"(CFTypeRef, i32) -> f64;
}

/// A connection to the event system that sees temperature sensors only.
struct Client {
    functions: Functions,
    client: CFType,
}

// SAFETY: the client is only used under the lock of `CLIENT`, and is bound to no thread as long as it is not scheduled
// on a run loop, which it is not.
unsafe impl Send for Client {}

/// Kept, since making one takes many times as long as reading all sensors.
static CLIENT: Mutex<Option<Client>> = Mutex::new(None);

impl Client {
    /// `None` if this system has no such functions.
    fn open() -> io::Result<Option<Self>> {
        let Some(functions) = Functions::find() else {
            return Ok(None);
        };
        // SAFETY: the default allocator; the result is null or owned.
        let client = unsafe { owned((functions.create)(ptr::null())) };
        let client = client.ok_or_else(|| io::Error::other("no client of the HID event system"))?;
        let matching = CFDictionary::from_CFType_pairs(&[
            (
                CFString::from_static_string("PrimaryUsagePage"),
                CFNumber::from(PAGE),
            ),
            (
                CFString::from_static_string("PrimaryUsage"),
                CFNumber::from(USAGE),
            ),
        ]);
        // SAFETY: both are alive; the client keeps its own reference to the dictionary.
        unsafe { (functions.set_matching)(client.as_CFTypeRef(), matching.as_concrete_TypeRef()) };
        Ok(Some(Self { functions, client }))
    }

    fn read(&self) -> Vec<(Option<String>, f64)> {
        // SAFETY: a live client; the result is null or owned.
        let services = unsafe { owned((self.functions.copy_services)(self.client.as_CFTypeRef()).cast()) };
        let Some(services) = services.and_then(|services| services.downcast::<CFArray>()) else {
            return Vec::new();
        };
        let services = services.get_all_values().into_iter();
        let read = |service: CFTypeRef| {
            // SAFETY: `service` is a member of a list that is alive; no options. The result is null or owned.
            let event = unsafe { owned((self.functions.copy_event)(service, EVENT, 0, 0)) }?;
            // SAFETY: a live event.
            let value = unsafe { (self.functions.float_value)(event.as_CFTypeRef(), FIELD) };
            let key = CFString::from_static_string("Product");
            // SAFETY: as above, and a live text. The result is null or owned.
            let name = unsafe { owned((self.functions.copy_property)(service, key.as_concrete_TypeRef())) };
            let name = name.and_then(|name| name.downcast::<CFString>());
            Some((name.map(|name| name.to_string()), value))
        };
        services
            .filter(|service| !service.is_null())
            .filter_map(read)
            .collect()
    }
}

impl Sensors for Kernel {
    fn temperatures(&self) -> io::Result<Vec<(Option<String>, f64)>> {
        let mut client = CLIENT.lock().unwrap_or_else(PoisonError::into_inner);
        drained(|| {
            if client.is_none() {
                *client = Client::open()?;
            }
            Ok(client.as_ref().map(Client::read).unwrap_or_default())
        })
    }
}
