//! Recorded answers in place of the kernel's, for tests.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::io;
use std::sync::{Arc, Mutex};

use crate::macos::calls::{Mach, MountTable, Sysctl};
use crate::macos::devices::{
    Channel, CpuPower, Entry, FreeSpace, Health, Notifications, PowerSources, Query, Registry, Reports,
    SMART_SIZE, SMC_SIZE, Sensors, Services, Smart, Smc,
};
use crate::macos::layout::vm_statistics64;
use crate::macos::property::{Dictionary, Property};
use crate::macos::smc::param;

/// A Mac made of values. What is not set fails as an unknown name does.
#[derive(Debug, Default, Clone)]
pub(crate) struct Recorded {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<String, Vec<u8>>,
    numbers: BTreeMap<Vec<i32>, Vec<u8>>,
    ticks: Option<(usize, Vec<u32>)>,
    vm: Option<([u32; vm_statistics64::WORDS], usize)>,
    page_size: u64,
    mounts: Option<Vec<u8>>,
    entries: BTreeMap<String, Vec<Entry>>,
    power_sources: Option<Vec<Dictionary>>,
    /// The answer, if one was set.
    cpu_power: Vec<Option<Dictionary>>,
    temperatures: Option<Vec<(Option<String>, f64)>>,
    notifications: BTreeMap<String, u64>,
    smc: BTreeMap<[u8; 4], ([u8; 4], Vec<u8>)>,
    channels: BTreeMap<(&'static str, Option<&'static str>), Vec<Channel>>,
    services: Option<Vec<u8>>,
    free_space: BTreeMap<String, f64>,
    health: Vec<Health>,
    denied: bool,
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

impl Recorded {
    /// An entry of the registry, besides those set before. Only the keys that are asked for are given.
    pub(crate) fn entry(&self, class: &str, entry: Entry) -> &Self {
        let mut state = self.state.lock().unwrap();
        state.entries.entry(class.to_owned()).or_default().push(entry);
        drop(state);
        self
    }

    pub(crate) fn power_sources(&self, sources: impl Into<Vec<Dictionary>>) -> &Self {
        self.state.lock().unwrap().power_sources = Some(sources.into());
        self
    }

    pub(crate) fn cpu_power(&self, status: Option<Dictionary>) -> &Self {
        self.state.lock().unwrap().cpu_power = vec![status];
        self
    }

    pub(crate) fn temperatures(&self, values: &[(Option<&str>, f64)]) -> &Self {
        let values = values
            .iter()
            .map(|(name, value)| (name.map(str::to_owned), *value));
        self.state.lock().unwrap().temperatures = Some(values.collect());
        self
    }
}

impl State {
    fn permission(&self) -> io::Result<()> {
        if self.denied {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(())
    }
}

impl Recorded {
    /// Devices can no longer be opened.
    pub(crate) fn deny(&self) {
        self.state.lock().unwrap().denied = true;
    }

    pub(crate) fn notification(&self, name: &str, state: u64) -> &Self {
        let mut recorded = self.state.lock().unwrap();
        recorded.notifications.insert(name.to_owned(), state);
        drop(recorded);
        self
    }

    /// A key of the system management controller, its type and its bytes.
    pub(crate) fn smc(&self, key: [u8; 4], kind: [u8; 4], bytes: &[u8]) -> &Self {
        let mut state = self.state.lock().unwrap();
        state.smc.insert(key, (kind, bytes.to_vec()));
        drop(state);
        self
    }

    pub(crate) fn channels(
        &self,
        group: &'static str,
        subgroup: Option<&'static str>,
        channels: &[Channel],
    ) -> &Self {
        let mut state = self.state.lock().unwrap();
        state.channels.insert((group, subgroup), channels.to_vec());
        drop(state);
        self
    }

    pub(crate) fn services(&self, list: &str) -> &Self {
        self.state.lock().unwrap().services = Some(list.into());
        self
    }

    /// A drive besides those set before.
    pub(crate) fn health(&self, device: Option<&str>, log: &[u8; SMART_SIZE]) -> &Self {
        let device = device.map(str::to_owned);
        self.state
            .lock()
            .unwrap()
            .health
            .push(Health { device, log: *log });
        self
    }

    pub(crate) fn free_space(&self, mount_point: &str, bytes: f64) -> &Self {
        let mut state = self.state.lock().unwrap();
        state.free_space.insert(mount_point.to_owned(), bytes);
        drop(state);
        self
    }
}

/// A dictionary of these.
pub(crate) fn dictionary<const COUNT: usize>(properties: [(&str, Property); COUNT]) -> Dictionary {
    let properties = properties.into_iter();
    properties.map(|(key, value)| (key.to_owned(), value)).collect()
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

impl Registry for Recorded {
    fn entries(&self, query: &Query) -> io::Result<Vec<Entry>> {
        let state = self.state.lock().unwrap();
        let entries = state.entries.get(query.class.to_str().unwrap());
        let only = |dictionary: &Dictionary, keys: &[&str]| -> Dictionary {
            let keys = keys.iter();
            keys.filter_map(|key| Some(((*key).to_owned(), dictionary.get(key)?.clone())))
                .collect()
        };
        let asked = |entry: &Entry| Entry {
            name: entry.name.clone(),
            properties: only(&entry.properties, query.keys),
            parent: only(&entry.parent, query.parent.map_or(&[], |(_, keys)| keys)),
        };
        Ok(entries.into_iter().flatten().map(asked).collect())
    }
}

impl PowerSources for Recorded {
    fn power_sources(&self) -> io::Result<Vec<Dictionary>> {
        self.state
            .lock()
            .unwrap()
            .power_sources
            .clone()
            .ok_or_else(absent)
    }
}

impl CpuPower for Recorded {
    fn cpu_power_status(&self) -> io::Result<Option<Dictionary>> {
        self.state
            .lock()
            .unwrap()
            .cpu_power
            .first()
            .cloned()
            .ok_or_else(absent)
    }
}

impl Sensors for Recorded {
    fn temperatures(&self) -> io::Result<Vec<(Option<String>, f64)>> {
        self.state.lock().unwrap().temperatures.clone().ok_or_else(absent)
    }
}

impl Notifications for Recorded {
    fn state(&self, name: &CStr) -> io::Result<u64> {
        let state = self.state.lock().unwrap();
        let value = state.notifications.get(name.to_str().unwrap());
        value.copied().ok_or_else(absent)
    }
}

impl Smc for Recorded {
    fn exchange(&self, request: &[u8; SMC_SIZE]) -> io::Result<Option<[u8; SMC_SIZE]>> {
        let state = self.state.lock().unwrap();
        state.permission()?;
        if state.smc.is_empty() {
            return Ok(None);
        }
        let mut key: [u8; 4] = request[param::KEY..param::KEY + 4].try_into().unwrap();
        key.reverse();
        let mut answer = [0; SMC_SIZE];
        let Some((kind, bytes)) = state.smc.get(&key) else {
            answer[param::RESULT] = 0x84;
            return Ok(Some(answer));
        };
        let size = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        if request[param::COMMAND] == 9 {
            answer[param::DATA_SIZE..param::DATA_SIZE + 4].copy_from_slice(&size);
            let kind = u32::from_be_bytes(*kind).to_le_bytes();
            answer[param::DATA_TYPE..param::DATA_TYPE + 4].copy_from_slice(&kind);
        } else {
            assert_eq!(request[param::DATA_SIZE..param::DATA_SIZE + 4], size);
            let fitting = &bytes[..bytes.len().min(SMC_SIZE - param::BYTES)];
            answer[param::BYTES..param::BYTES + fitting.len()].copy_from_slice(fitting);
        }
        Ok(Some(answer))
    }
}

impl Reports for Recorded {
    fn channels(&self, group: &'static str, subgroup: Option<&'static str>) -> io::Result<Vec<Channel>> {
        let state = self.state.lock().unwrap();
        Ok(state
            .channels
            .get(&(group, subgroup))
            .cloned()
            .unwrap_or_default())
    }
}

impl Services for Recorded {
    fn list(&self, out: &mut Vec<u8>) -> io::Result<()> {
        give(self.state.lock().unwrap().services.as_ref(), out)
    }
}

impl Smart for Recorded {
    fn health(&self) -> io::Result<Vec<Health>> {
        let state = self.state.lock().unwrap();
        state.permission()?;
        Ok(state.health.clone())
    }
}

impl FreeSpace for Recorded {
    fn important_usage(&self, mount_point: &str) -> Option<f64> {
        self.state.lock().unwrap().free_space.get(mount_point).copied()
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
