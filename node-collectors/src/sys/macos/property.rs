//! Core Foundation's property lists to plain data.

use core_foundation::array::CFArray;
use core_foundation::base::{CFType, CFTypeRef, TCFType};
use core_foundation::boolean::CFBoolean;
use core_foundation::data::CFData;
use core_foundation::dictionary::CFDictionary;
use core_foundation::number::CFNumber;
use core_foundation::string::CFString;

use crate::macos::property::{Dictionary, Property};

/// Levels of lists and dictionaries that are followed.
const DEPTH: u32 = 8;

/// The value as plain data; `None` for what is no property.
pub(super) fn property(value: &CFType) -> Option<Property> {
    convert(value, DEPTH)
}

/// The dictionary as plain data; `None` for what is none.
pub(super) fn dictionary(value: &CFType) -> Option<Dictionary> {
    match property(value)? {
        Property::Dictionary(dictionary) => Some(dictionary),
        _ => None,
    }
}

fn convert(value: &CFType, depth: u32) -> Option<Property> {
    if let Some(text) = value.downcast::<CFString>() {
        return Some(Property::Text(text.to_string()));
    }
    if let Some(flag) = value.downcast::<CFBoolean>() {
        return Some(Property::Flag(flag.into()));
    }
    if let Some(number) = value.downcast::<CFNumber>() {
        let whole = number.to_i64().map(Property::Integer);
        return whole.or_else(|| number.to_f64().map(Property::Real));
    }
    if let Some(data) = value.downcast::<CFData>() {
        return Some(Property::Data(data.bytes().to_vec()));
    }
    let depth = depth.checked_sub(1)?;
    if let Some(list) = value.downcast::<CFArray>() {
        let members = list.get_all_values().into_iter();
        return Some(Property::List(
            members
                .filter_map(|member| convert(&borrowed(member)?, depth))
                .collect(),
        ));
    }
    let (keys, values) = value.downcast::<CFDictionary>()?.get_keys_and_values();
    let pairs = keys.into_iter().zip(values);
    let properties = pairs.filter_map(|(key, value)| {
        let key = borrowed(key)?.downcast::<CFString>()?.to_string();
        Some((key, convert(&borrowed(value)?, depth)?))
    });
    Some(Property::Dictionary(properties.collect()))
}

/// A member of a collection, kept alive for as long as it is looked at.
fn borrowed(member: *const std::ffi::c_void) -> Option<CFType> {
    if member.is_null() {
        return None;
    }
    // SAFETY: property lists hold nothing but Core Foundation objects. The collection is alive here and owns the
    // member; wrapping retains it once and releases it once.
    Some(unsafe { CFType::wrap_under_get_rule(member as CFTypeRef) })
}

/// Takes over an object that a function with `Create` or `Copy` in its name gave.
///
/// # Safety
///
/// `object` is null, or a Core Foundation object of which the caller owns a reference that it gives up.
pub(super) unsafe fn owned(object: CFTypeRef) -> Option<CFType> {
    if object.is_null() {
        return None;
    }
    // SAFETY: not null, and the reference is given up by the caller.
    Some(unsafe { CFType::wrap_under_create_rule(object) })
}
