//! macOS: the process list of `sysctl(3)` (`KERN_PROC_ALL`), and the kernel's counts and limits.
//!
//! The states have Linux' letters. The list tells processes that were stopped and zombies apart; of the others it says
//! that they run, whether they wait or not.

use std::collections::BTreeMap;

use ferroalloy_model::Families;

use crate::collector::{Collector, Outcome};
use crate::emit::gauge;
use crate::error::Error;
use crate::macos::bytes::i32_at;
use crate::macos::calls::{self, Sysctl};
use crate::macos::layout::{PROCESS_LIST, kinfo_proc};

pub(super) struct Processes<S> {
    sysctl: S,
}

impl<S: Sysctl> Processes<S> {
    pub(super) fn new(sysctl: S) -> Self {
        Self { sysctl }
    }
}

/// Letters of `SIDL`, `SRUN`, `SSLEEP`, `SSTOP` and `SZOMB`, which count from 1, `<sys/proc.h>`.
const STATES: [&str; 5] = ["I", "R", "S", "T", "Z"];

/// Counts of processes by state; `None` if the list does not end with a process. A state that is unknown counts as such.
fn count(list: &[u8]) -> Option<BTreeMap<&'static str, u32>> {
    let (processes, rest) = list.as_chunks::<{ kinfo_proc::SIZE }>();
    if !rest.is_empty() {
        return None;
    }
    let mut states = BTreeMap::new();
    for process in processes {
        let state = usize::from(process[kinfo_proc::KP_PROC_P_STAT]);
        let state = state.checked_sub(1).and_then(|state| STATES.get(state));
        *states.entry(*state.unwrap_or(&"unknown")).or_default() += 1;
    }
    Some(states)
}

/// Sysctl, family, HELP.
static NUMBERS: [(&std::ffi::CStr, &str, &str); 3] = [
    (
        c"kern.num_threads",
        "node_processes_max_threads",
        "Limit of threads in the system",
    ),
    (
        c"kern.maxproc",
        "node_processes_max_processes",
        "Number of max PIDs limit",
    ),
    (
        c"kern.num_taskthreads",
        "node_processes_max_threads_per_process",
        "Limit of threads in a process",
    ),
];

impl<S: Sysctl> Collector for Processes<S> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut list = Vec::new();
        let listed = self.sysctl.by_numbers(&PROCESS_LIST, &mut list);
        listed.map_err(|error| Error::system("sysctl KERN_PROC_ALL", error))?;
        let states = count(&list).ok_or_else(|| calls::unexpected("sysctl KERN_PROC_ALL", list.len()))?;
        for (state, count) in &states {
            let help = "Number of processes in each state.";
            let labels = [("state", *state)];
            gauge(out, "node_processes_state", help, &labels, f64::from(*count));
        }
        let pids: u32 = states.values().sum();
        gauge(out, "node_processes_pids", "Number of PIDs", &[], f64::from(pids));
        for (name, family, help) in NUMBERS {
            let value = calls::value(&self.sysctl, name, |bytes| i32_at(bytes, 0))?;
            gauge(out, family, help, &[], f64::from(value));
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::recorded::{Recorded, Structure};
    use crate::testing::{never_panics, samples};

    fn list(states: &[u8]) -> Vec<u8> {
        let processes = states.iter();
        processes
            .flat_map(|state| Structure::new(648).with(36, &[*state]).bytes())
            .collect()
    }

    fn processes(states: &[u8]) -> Processes<Recorded> {
        let mac = Recorded::default();
        mac.numbers(&[1, 14, 0], list(states))
            .name("kern.num_threads", 20_480_i32.to_le_bytes())
            .name("kern.maxproc", 4000_i32.to_le_bytes())
            .name("kern.num_taskthreads", 4096_i32.to_le_bytes());
        Processes::new(mac)
    }

    #[test]
    fn processes_by_state() {
        assert_eq!(
            samples(&processes(&[2, 2, 5, 4, 0, 6, 255])),
            [
                "node_processes_max_processes 4000",
                "node_processes_max_threads 20480",
                "node_processes_max_threads_per_process 4096",
                "node_processes_pids 7",
                "node_processes_state{state=\"R\"} 2",
                "node_processes_state{state=\"T\"} 1",
                "node_processes_state{state=\"Z\"} 1",
                "node_processes_state{state=\"unknown\"} 3",
            ]
        );
    }

    #[test]
    fn a_cut_list_is_refused() {
        assert!(count(&list(&[2])[..647]).is_none());
        assert_eq!(count(&[]).unwrap().len(), 0);
        never_panics("", count);
        let error = Processes::new(Recorded::default()).update(&mut Families::new());
        assert_eq!(error.unwrap_err().to_string(), "sysctl KERN_PROC_ALL failed");
    }
}
