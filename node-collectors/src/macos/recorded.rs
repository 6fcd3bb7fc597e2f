//! Recorded answers in place of the kernel's, for tests.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::io;
use std::sync::Mutex;

use crate::macos::calls::{Mach, MountTable, Sysctl};
use crate::macos::layout::vm_statistics64;

/// A Mac made of values. What is not set fails as an unknown name does.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<String, Vec<u8>>,
    numbers: BTreeMap<Vec<i32>, Vec<u8>>,
    ticks: Option<(usize, Vec<u32>)>,
    vm: Option<([u32; vm_statistics64::WORDS], usize)>,
    page_size: u64,
    mounts: Option<Vec<u8>>,
}

impl Recorded {
    pub(crate) fn name(&self, name: &str, value: impl Into<Vec<u8>>) -> &Self {
        self.state
            .lock()
            .unwrap()
            .names
            .insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn numbers(&self, path: &[i32], value: impl Into<Vec<u8>>) -> &Self {
        self.state
            .lock()
            .unwrap()
            .numbers
            .insert(path.to_vec(), value.into());
        self
    }

    pub(crate) fn forget_numbers(&self, path: &[i32]) -> &Self {
        self.state.lock().unwrap().numbers.remove(path);
        self
    }

    pub(crate) fn ticks(&self, processors: usize, ticks: &[u32]) -> &Self {
        self.state.lock().unwrap().ticks = Some((processors, ticks.to_vec()));
        self
    }

    pub(crate) fn vm(&self, words: [u32; vm_statistics64::WORDS], filled: usize, page_size: u64) -> &Self {
        let mut state = self.state.lock().unwrap();
        state.vm = Some((words, filled));
        state.page_size = page_size;
        drop(state);
        self
    }

    pub(crate) fn mount_table(&self, mounts: impl Into<Vec<u8>>) -> &Self {
        self.state.lock().unwrap().mounts = Some(mounts.into());
        self
    }
}

fn absent() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

fn give(value: Option<&Vec<u8>>, out: &mut Vec<u8>) -> io::Result<()> {
    out.clear();
    out.extend_from_slice(value.ok_or_else(absent)?);
    Ok(())
}

impl Sysctl for Recorded {
    fn by_name(&self, name: &CStr, out: &mut Vec<u8>) -> io::Result<()> {
        give(self.state.lock().unwrap().names.get(name.to_str().unwrap()), out)
    }

    fn by_numbers(&self, path: &[i32], out: &mut Vec<u8>) -> io::Result<()> {
        give(self.state.lock().unwrap().numbers.get(path), out)
    }
}

impl Mach for Recorded {
    fn processor_ticks(&self, ticks: &mut Vec<u32>) -> io::Result<usize> {
        let state = self.state.lock().unwrap();
        let (processors, recorded) = state.ticks.as_ref().ok_or_else(absent)?;
        ticks.clone_from(recorded);
        Ok(*processors)
    }

    fn vm_statistics(&self) -> io::Result<([u32; vm_statistics64::WORDS], usize)> {
        self.state.lock().unwrap().vm.ok_or_else(absent)
    }

    fn page_size(&self) -> u64 {
        self.state.lock().unwrap().page_size
    }
}

impl MountTable for Recorded {
    fn mounts(&self, out: &mut Vec<u8>) -> io::Result<()> {
        give(self.state.lock().unwrap().mounts.as_ref(), out)
    }
}

/// Bytes in which fields can be set, to build C structures.
#[derive(Debug, Clone)]
pub(crate) struct Structure(Vec<u8>);

impl Structure {
    pub(crate) fn new(size: usize) -> Self {
        Self(vec![0; size])
    }

    pub(crate) fn with(mut self, offset: usize, field: &[u8]) -> Self {
        self.0[offset..offset + field.len()].copy_from_slice(field);
        self
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0
    }
}
