//! The time zone in force, as the C library finds it in `TZ` or `/etc/localtime`.

#![allow(unsafe_code, reason = "localtime_r and tm_zone have no safe wrapper")]

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;

/// A time zone at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone {
    /// Its abbreviation, such as `CEST` or `-03`.
    pub(crate) name: String,
    /// Seconds to add to UTC.
    pub(crate) offset: i64,
}

/// The zone in force `seconds` after 1970.
pub(crate) fn at(seconds: i64) -> io::Result<Zone> {
    unsafe extern "C" {
        fn tzset();
    }
    let time: libc::time_t = seconds;
    let mut broken_down = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: tzset takes nothing and locks what it changes; both pointers of localtime_r are to whole objects.
    let filled = unsafe {
        tzset();
        libc::localtime_r(&raw const time, broken_down.as_mut_ptr())
    };
    if filled.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: localtime_r filled it.
    let broken_down = unsafe { broken_down.assume_init() };
    let name = if broken_down.tm_zone.is_null() {
        String::new()
    } else {
        // SAFETY: tm_zone points to a text that the C library keeps at least until the next tzset.
        unsafe { CStr::from_ptr(broken_down.tm_zone) }
            .to_string_lossy()
            .into_owned()
    };
    Ok(Zone {
        name,
        offset: broken_down.tm_gmtoff,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_zone_lies_within_a_day() {
        let zone = super::at(0).unwrap();
        assert!(zone.offset.abs() < 86_400 && !zone.name.is_empty(), "{zone:?}");
    }
}
