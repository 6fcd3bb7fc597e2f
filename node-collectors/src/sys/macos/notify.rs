//! Values of notify(3), which is part of the system library.

use std::ffi::{CStr, c_char, c_int};
use std::io;

use super::Kernel;
use crate::macos::devices::Notifications;

// <notify.h>
unsafe extern "C" {
    fn notify_register_check(name: *const c_char, token: *mut c_int) -> u32;
    fn notify_get_state(token: c_int, state: *mut u64) -> u32;
    fn notify_cancel(token: c_int) -> u32;
}

/// A registration, given back when dropped.
struct Token(c_int);

impl Drop for Token {
    fn drop(&mut self) {
        // SAFETY: the token was given by `notify_register_check` and is given back once.
        let _ = unsafe { notify_cancel(self.0) };
    }
}

fn check(status: u32) -> io::Result<()> {
    // `NOTIFY_STATUS_OK`
    if status == 0 {
        return Ok(());
    }
    Err(io::Error::other(format!("notify(3) status {status}")))
}

impl Notifications for Kernel {
    fn state(&self, name: &CStr) -> io::Result<u64> {
        let mut token = 0;
        // SAFETY: a text that ends in NUL, and a place for the result.
        check(unsafe { notify_register_check(name.as_ptr(), &raw mut token) })?;
        let token = Token(token);
        let mut state = 0;
        // SAFETY: a token that is registered, and a place for the result.
        check(unsafe { notify_get_state(token.0, &raw mut state) })?;
        Ok(state)
    }
}
