//! Channels of IOReport.
//!
//! The library has no public header; its functions are looked up by name, and a system without them has no channels.
//! A subscription is kept for each group, since making one takes far longer than reading it.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::io;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use core_foundation::array::CFArray;
use core_foundation::base::{CFType, CFTypeRef, TCFType};
use core_foundation::dictionary::CFDictionary;
use core_foundation::string::CFString;

use super::Kernel;
use super::pool::drained;
use super::property::owned;
use super::symbol::{Library, functions};
use crate::macos::devices::{Channel, Reading, Reports};

const LIBRARY: Library = Library::File(c"/usr/lib/libIOReport.dylib");
/// `kIOReportFormatSimple` and `kIOReportFormatState`.
const SIMPLE: u8 = 1;
const STATE: u8 = 2;
/// Most states that are read of a channel.
const STATES: i32 = 256;

functions! {
    #[derive(Clone, Copy)]
    struct Functions in LIBRARY;
    fn copy_channels as c"IOReportCopyChannelsInGroup"(CFTypeRef, CFTypeRef, u64, u64, u64) -> CFTypeRef;
    fn subscribe as c"IOReportCreateSubscription"(*mut c_void, CFTypeRef, *mut CFTypeRef, u64, CFTypeRef) -> CFTypeRef;
    fn samples as c"IOReportCreateSamples"(CFTypeRef, CFTypeRef, CFTypeRef) -> CFTypeRef;
    fn format as c"IOReportChannelGetFormat"(CFTypeRef) -> u8;
    fn name as c"IOReportChannelGetChannelName"(CFTypeRef) -> CFTypeRef;
    fn unit as c"IOReportChannelGetUnitLabel"(CFTypeRef) -> CFTypeRef;
    fn simple as c"IOReportSimpleGetIntegerValue"(CFTypeRef, *mut i32) -> i64;
    fn state_count as c"IOReportStateGetCount"(CFTypeRef) -> i32;
    fn state_name as c"IOReportStateGetNameForIndex"(CFTypeRef, i32) -> CFTypeRef;
    fn state_time as c"IOReportStateGetResidency"(CFTypeRef, i32) -> i64;
}

/// The channels of a group that are read together.
struct Subscription {
    functions: Functions,
    handle: CFType,
    channels: CFType,
}

// SAFETY: a subscription is only used under the lock of `SUBSCRIPTIONS`, and bound to no thread.
unsafe impl Send for Subscription {}

type Group = (&'static str, Option<&'static str>);

static SUBSCRIPTIONS: Mutex<BTreeMap<Group, Subscription>> = Mutex::new(BTreeMap::new());

/// The text of an object that belongs to somebody else.
fn text(object: CFTypeRef) -> Option<String> {
    if object.is_null() {
        return None;
    }
    // SAFETY: not null, and alive while its owner is, which the caller holds; wrapping retains it.
    let object = unsafe { CFType::wrap_under_get_rule(object) };
    Some(object.downcast::<CFString>()?.to_string())
}

impl Subscription {
    /// `None` if this system has no such library or group.
    fn open((group, subgroup): Group) -> io::Result<Option<Self>> {
        let Some(functions) = Functions::find() else {
            return Ok(None);
        };
        let group = CFString::new(group);
        let subgroup = subgroup.map(CFString::new);
        let subgroup = subgroup.as_ref().map_or(ptr::null(), TCFType::as_CFTypeRef);
        // SAFETY: a live text, and another or null for "any"; the result is null or owned.
        let wanted = unsafe { owned((functions.copy_channels)(group.as_CFTypeRef(), subgroup, 0, 0, 0)) };
        let Some(wanted) = wanted else { return Ok(None) };
        let mut channels = ptr::null();
        // SAFETY: a live dictionary, and a place for the channels that could be subscribed to. Both results are null or
        // owned; a subscription is never given back, so that nothing depends on who owns the channels.
        let (subscription, channels) = unsafe {
            let subscription = (functions.subscribe)(
                ptr::null_mut(),
                wanted.as_CFTypeRef(),
                &raw mut channels,
                0,
                ptr::null(),
            );
            (owned(subscription), owned(channels))
        };
        let (Some(subscription), Some(channels)) = (subscription, channels) else {
            return Err(io::Error::other("IOReport refused the subscription"));
        };
        Ok(Some(Self {
            functions,
            handle: subscription,
            channels,
        }))
    }

    fn read(&self) -> Option<Vec<Channel>> {
        let functions = &self.functions;
        // SAFETY: both are alive; the result is null or owned.
        let samples = unsafe {
            owned((functions.samples)(
                self.handle.as_CFTypeRef(),
                self.channels.as_CFTypeRef(),
                ptr::null(),
            ))
        };
        let samples = samples?.downcast::<CFDictionary>()?;
        let key = CFString::from_static_string("IOReportChannels");
        let list = samples.find(key.as_CFTypeRef())?;
        if list.is_null() {
            return None;
        }
        // SAFETY: not null, and owned by `samples`, which is alive; wrapping retains it.
        let list = unsafe { CFType::wrap_under_get_rule(*list) };
        let list = list.downcast::<CFArray>()?;
        let channels = list.get_all_values().into_iter();
        Some(
            channels
                .filter(|channel| !channel.is_null())
                .filter_map(|channel| self.channel(channel))
                .collect(),
        )
    }

    /// `channel` is a member of a list that is alive.
    fn channel(&self, channel: CFTypeRef) -> Option<Channel> {
        let functions = &self.functions;
        // SAFETY: a live channel, and for the states an index below their number. Texts belong to the channel.
        unsafe {
            let reading = match (functions.format)(channel) {
                SIMPLE => Reading::Simple((functions.simple)(channel, ptr::null_mut())),
                STATE => {
                    let states = 0..(functions.state_count)(channel).clamp(0, STATES);
                    let state = |index| {
                        let name = text((functions.state_name)(channel, index))?;
                        Some((name, (functions.state_time)(channel, index)))
                    };
                    Reading::States(states.filter_map(state).collect())
                }
                _ => return None,
            };
            Some(Channel {
                name: text((functions.name)(channel))?,
                unit: text((functions.unit)(channel)).unwrap_or_default(),
                reading,
            })
        }
    }
}

impl Reports for Kernel {
    fn channels(&self, group: &'static str, subgroup: Option<&'static str>) -> io::Result<Vec<Channel>> {
        let mut subscriptions = SUBSCRIPTIONS.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (group, subgroup);
        drained(|| {
            if !subscriptions.contains_key(&key)
                && let Some(subscription) = Subscription::open(key)?
            {
                subscriptions.insert(key, subscription);
            }
            Ok(subscriptions
                .get(&key)
                .and_then(Subscription::read)
                .unwrap_or_default())
        })
    }
}
