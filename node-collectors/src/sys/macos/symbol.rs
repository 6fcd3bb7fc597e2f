//! Functions that may be absent, looked up when they are first wanted.

use std::ffi::{CStr, c_void};

/// Where to look.
#[derive(Clone, Copy)]
pub(super) enum Library {
    /// What is loaded already.
    Loaded,
    /// A library of the system, which stays loaded.
    File(&'static CStr),
}

/// The address of `name`, if there is one.
pub(super) fn find(library: Library, name: &CStr) -> Option<*mut c_void> {
    let handle = match library {
        Library::Loaded => libc::RTLD_DEFAULT,
        Library::File(path) => {
            // SAFETY: a text that ends in NUL; loading a library of the system runs Apple's initialisers only.
            unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY) }
        }
    };
    if handle.is_null() && matches!(library, Library::File(_)) {
        return None;
    }
    // SAFETY: a handle that is never closed, and a text that ends in NUL.
    let address = unsafe { libc::dlsym(handle, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}

/// Declares a structure of function pointers and `find() -> Option<Self>`, which needs all of them.
macro_rules! functions {
    ($(#[$attribute:meta])* struct $structure:ident in $library:expr;
     $(fn $name:ident as $symbol:literal($($argument:ty),*) $(-> $result:ty)?;)*) => {
        $(#[$attribute])*
        struct $structure {
            $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl $structure {
            fn find() -> Option<Self> {
                Some(Self {
                    $($name: {
                        let address = $crate::sys::macos::symbol::find($library, $symbol)?;
                        // SAFETY: not null, and the function of this name has this signature. A pointer to a function
                        // has the size of one to data on every Mac.
                        unsafe {
                            std::mem::transmute::<
                                *mut std::ffi::c_void,
                                unsafe extern "C" fn($($argument),*) $(-> $result)?,
                            >(address)
                        }
                    },)*
                })
            }
        }
    };
}
pub(super) use functions;
