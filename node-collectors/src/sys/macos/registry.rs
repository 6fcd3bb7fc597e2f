//! Entries of IOKit's registry. Each object that IOKit hands over is released on every path.

use std::ffi::{CStr, c_char};
use std::io;
use std::ptr;

use core_foundation::base::TCFType;
use core_foundation::string::CFString;

use super::Kernel;
use super::iokit::{self, IoObject};
use super::mach::check;
use super::pool::drained;
use super::property::{owned, property};
use crate::macos::devices::{Entry, Query, Registry};
use crate::macos::property::Dictionary;

/// How often the registry may change while it is read until what was read counts.
const ATTEMPTS: usize = 4;

/// An object of IOKit's, of which we own a reference.
pub(super) struct Object(IoObject);

impl Object {
    /// Takes over a reference; `None` for the null object.
    fn owned(object: IoObject) -> Option<Self> {
        (object != 0).then_some(Self(object))
    }

    pub(super) fn raw(&self) -> IoObject {
        self.0
    }

    fn conforms_to(&self, class: &CStr) -> bool {
        // SAFETY: a live object, and a text that ends in NUL.
        unsafe { iokit::IOObjectConformsTo(self.0, class.as_ptr()) != 0 }
    }

    fn parent(&self) -> Option<Self> {
        let mut parent = 0;
        // SAFETY: a live object, a text that ends in NUL, and a place for the result.
        let code = unsafe {
            iokit::IORegistryEntryGetParentEntry(self.0, iokit::SERVICE_PLANE.as_ptr(), &raw mut parent)
        };
        check(code).ok()?;
        Self::owned(parent)
    }

    fn name(&self) -> String {
        let mut name: [c_char; iokit::NAME_SIZE] = [0; iokit::NAME_SIZE];
        // SAFETY: a live object, and a place as large as `io_name_t`.
        let code = unsafe { iokit::IORegistryEntryGetName(self.0, name.as_mut_ptr()) };
        if check(code).is_err() {
            return String::new();
        }
        let bytes: Vec<u8> = name
            .iter()
            .take_while(|byte| **byte != 0)
            .map(|byte| byte.cast_unsigned())
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(super) fn properties(&self, keys: &[&str]) -> Dictionary {
        let read = |key: &&str| {
            let name = CFString::new(key);
            // SAFETY: a live object and a live text, the default allocator, no options. The result is null or owned.
            let value = unsafe {
                owned(iokit::IORegistryEntryCreateCFProperty(
                    self.0,
                    name.as_concrete_TypeRef(),
                    ptr::null(),
                    0,
                ))
            };
            Some(((*key).to_owned(), property(&value?)?))
        };
        keys.iter().filter_map(read).collect()
    }

    fn entry(&self, query: &Query) -> Option<Entry> {
        let parent = match query.parent {
            Some((class, keys)) => {
                let parent = self.parent().filter(|parent| parent.conforms_to(class))?;
                parent.properties(keys)
            }
            None => Dictionary::default(),
        };
        Some(Entry {
            name: self.name(),
            properties: self.properties(query.keys),
            parent,
        })
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: the reference is ours and given back once. Failure would mean that it is gone already.
        let _ = unsafe { iokit::IOObjectRelease(self.0) };
    }
}

/// An iterator over the services of `class`.
fn matching(class: &CStr) -> io::Result<Option<Object>> {
    // SAFETY: a text that ends in NUL.
    let matching = unsafe { iokit::IOServiceMatching(class.as_ptr()) };
    if matching.is_null() {
        return Err(io::Error::other("no matching dictionary"));
    }
    let mut iterator = 0;
    // SAFETY: `matching` is alive, and its reference is consumed by the call, whatever comes of it; a place for the
    // result.
    let code = unsafe {
        iokit::IOServiceGetMatchingServices(iokit::MAIN_PORT, matching.cast_const(), &raw mut iterator)
    };
    check(code)?;
    Ok(Object::owned(iterator))
}

/// The next object, if there is one.
fn next(iterator: &Object) -> Option<Object> {
    // SAFETY: a live iterator; the result is null or owned.
    Object::owned(unsafe { iokit::IOIteratorNext(iterator.raw()) })
}

/// The first service of `class`.
pub(super) fn first(class: &CStr) -> io::Result<Option<Object>> {
    Ok(matching(class)?.and_then(|iterator| next(&iterator)))
}

/// Reads each service of `class`, anew if the registry changes meanwhile.
fn each<T>(class: &CStr, read: impl Fn(Object) -> Option<T>) -> io::Result<Vec<T>> {
    let Some(iterator) = matching(class)? else {
        return Ok(Vec::new());
    };
    let mut entries = Vec::new();
    for _ in 0..ATTEMPTS {
        entries.clear();
        while let Some(object) = next(&iterator) {
            entries.extend(read(object));
        }
        // SAFETY: a live iterator. It is not valid if the registry changed meanwhile; then it starts anew.
        unsafe {
            if iokit::IOIteratorIsValid(iterator.raw()) != 0 {
                break;
            }
            iokit::IOIteratorReset(iterator.raw());
        }
    }
    Ok(entries)
}

/// The services of `class`.
pub(super) fn all(class: &CStr) -> io::Result<Vec<Object>> {
    each(class, Some)
}

impl Registry for Kernel {
    fn entries(&self, query: &Query) -> io::Result<Vec<Entry>> {
        drained(|| each(query.class, |object| object.entry(query)))
    }
}
