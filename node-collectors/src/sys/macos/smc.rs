//! Exchanges with the system management controller.

use std::io;
use std::sync::{Mutex, PoisonError};

use mach2::traps::mach_task_self;

use super::Kernel;
use super::iokit::{self, IoObject};
use super::mach::check;
use super::registry;
use crate::macos::devices::{SMC_SIZE, Smc};

/// The selector of `AppleSMCClient` that all exchanges go through: `kSMCHandleYPCEvent`.
const SELECTOR: u32 = 2;

/// An open user client.
struct Connection(IoObject);

impl Connection {
    fn open() -> io::Result<Option<Self>> {
        let Some(service) = registry::first(c"AppleSMC")? else {
            return Ok(None);
        };
        let mut connection = 0;
        // SAFETY: a live service, this task's port, which is not consumed, and a place for the result.
        check(unsafe { iokit::IOServiceOpen(service.raw(), mach_task_self(), 0, &raw mut connection) })?;
        Ok((connection != 0).then_some(Self(connection)))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the connection was given by `IOServiceOpen` and is closed once.
        let _ = unsafe { iokit::IOServiceClose(self.0) };
    }
}

/// Kept, since many keys are read one after another.
static CONNECTION: Mutex<Option<Connection>> = Mutex::new(None);

impl Smc for Kernel {
    fn exchange(&self, request: &[u8; SMC_SIZE]) -> io::Result<Option<[u8; SMC_SIZE]>> {
        let mut kept = CONNECTION.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out, so that one which fails is closed.
        let connection = match kept.take() {
            Some(connection) => connection,
            None => match Connection::open()? {
                Some(connection) => connection,
                None => return Ok(None),
            },
        };
        let mut answer = [0_u8; SMC_SIZE];
        let mut size = SMC_SIZE;
        // SAFETY: `request` is read, at most `size` bytes of `answer` are written, and the number written to `size`.
        let code = unsafe {
            iokit::IOConnectCallStructMethod(
                connection.0,
                SELECTOR,
                request.as_ptr().cast(),
                SMC_SIZE,
                answer.as_mut_ptr().cast(),
                &raw mut size,
            )
        };
        check(code)?;
        if size != SMC_SIZE {
            return Err(io::Error::other(format!("an answer of {size} bytes")));
        }
        *kept = Some(connection);
        Ok(Some(answer))
    }
}
