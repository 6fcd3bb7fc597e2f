//! The services of launchd. Its own calls are private, so its tool is asked.

use std::io;
use std::process::{Command, Stdio};

use super::Kernel;
use crate::macos::devices::Services;

impl Services for Kernel {
    fn list(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let output = Command::new("/bin/launchctl")
            .arg("list")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()?;
        if !output.status.success() {
            return Err(io::Error::other(output.status.to_string()));
        }
        *out = output.stdout;
        Ok(())
    }
}
