//! macOS: page counts of `host_statistics64`, the memory size `hw.memsize`, and `vm.swapusage`.
//!
//! A program that is not Apple's gets the page counts of up to a second ago when the host was asked often just before
//! (`rate_limit_host_statistics` in osfmk/kern/host.c).
//!
//! node_exporter's `swapped_in_bytes_total` and `swapped_out_bytes_total` count pages of files, not of swap. They are
//! kept; `swap_in_bytes_total` and `swap_out_bytes_total`, which it has on FreeBSD, count those of swap.
//!
//! As Activity Monitor counts: `app_bytes` are pages of programs without those that may be purged, `cached_bytes` pages of
//! files and those that may be purged; "memory used" is app, wired and compressed.

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Outcome};
use crate::error::Error;
use crate::macos::bytes::u64_at;
use crate::macos::calls::{self, Mach, Sysctl};
use crate::macos::layout::{vm_statistics64 as vm, xsw_usage};

pub(super) struct MemInfo<K> {
    kernel: K,
}

impl<K: Mach + Sysctl> MemInfo<K> {
    pub(super) fn new(kernel: K) -> Self {
        Self { kernel }
    }
}

impl<K: Mach + Sysctl> Collector for MemInfo<K> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let (words, filled) = self
            .kernel
            .vm_statistics()
            .map_err(|error| Error::system("host_statistics64", error))?;
        let filled = words.get(..filled).unwrap_or(&words);
        let pages =
            Pages::parse(filled).ok_or_else(|| calls::unexpected("host_statistics64", 4 * filled.len()))?;
        let swap = calls::value(&self.kernel, c"vm.swapusage", Swap::parse)?;
        let total = calls::value(&self.kernel, c"hw.memsize", |bytes| u64_at(bytes, 0))?;
        let page_size = self.kernel.page_size() as f64;

        macro_rules! emit {
            ($($name:literal $kind:ident $value:expr,)*) => {
                $(out.single(
                    concat!("node_memory_", $name),
                    concat!("Memory information field ", $name, "."),
                    MetricKind::$kind,
                    $value,
                );)*
            };
        }
        emit! {
            "app_bytes" Gauge f64::from(pages.internal.saturating_sub(pages.purgeable)) * page_size,
            "cached_bytes" Gauge (f64::from(pages.external) + f64::from(pages.purgeable)) * page_size,
            "compressions_pages_total" Counter pages.compressions as f64,
            "decompressions_pages_total" Counter pages.decompressions as f64,
            "page_faults_total" Counter pages.faults as f64,
            "speculative_bytes" Gauge f64::from(pages.speculative) * page_size,
            "active_bytes" Gauge f64::from(pages.active) * page_size,
            "compressed_bytes" Gauge f64::from(pages.compressor) * page_size,
            "free_bytes" Gauge f64::from(pages.free) * page_size,
            "inactive_bytes" Gauge f64::from(pages.inactive) * page_size,
            "internal_bytes" Gauge f64::from(pages.internal) * page_size,
            "purgeable_bytes" Gauge f64::from(pages.purgeable) * page_size,
            "swap_in_bytes_total" Counter pages.swap_ins as f64 * page_size,
            "swap_out_bytes_total" Counter pages.swap_outs as f64 * page_size,
            "swap_total_bytes" Gauge swap.total as f64,
            "swap_used_bytes" Gauge swap.used as f64,
            "swapped_in_bytes_total" Counter pages.ins as f64 * page_size,
            "swapped_out_bytes_total" Counter pages.outs as f64 * page_size,
            "total_bytes" Gauge total as f64,
            "wired_bytes" Gauge f64::from(pages.wired) * page_size,
        }
        Ok(Outcome::Data)
    }
}

/// Counts of pages from `struct vm_statistics64`.
struct Pages {
    active: u32,
    compressor: u32,
    compressions: u64,
    decompressions: u64,
    external: u32,
    faults: u64,
    free: u32,
    inactive: u32,
    internal: u32,
    purgeable: u32,
    speculative: u32,
    wired: u32,
    ins: u64,
    outs: u64,
    swap_ins: u64,
    swap_outs: u64,
}

impl Pages {
    /// `None` if the kernel filled less of the structure than is wanted.
    fn parse(words: &[u32]) -> Option<Self> {
        let count = |at: usize| words.get(at).copied();
        let sum = |at: usize| Some(u64::from(count(at)?) | u64::from(count(at + 1)?) << 32);
        Some(Self {
            active: count(vm::ACTIVE_COUNT)?,
            compressor: count(vm::COMPRESSOR_PAGE_COUNT)?,
            compressions: sum(vm::COMPRESSIONS)?,
            decompressions: sum(vm::DECOMPRESSIONS)?,
            external: count(vm::EXTERNAL_PAGE_COUNT)?,
            faults: sum(vm::FAULTS)?,
            speculative: count(vm::SPECULATIVE_COUNT)?,
            free: count(vm::FREE_COUNT)?,
            inactive: count(vm::INACTIVE_COUNT)?,
            internal: count(vm::INTERNAL_PAGE_COUNT)?,
            purgeable: count(vm::PURGEABLE_COUNT)?,
            wired: count(vm::WIRE_COUNT)?,
            ins: sum(vm::PAGEINS)?,
            outs: sum(vm::PAGEOUTS)?,
            swap_ins: sum(vm::SWAPINS)?,
            swap_outs: sum(vm::SWAPOUTS)?,
        })
    }
}

/// Bytes from `struct xsw_usage`.
struct Swap {
    total: u64,
    used: u64,
}

impl Swap {
    fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < xsw_usage::SIZE {
            return None;
        }
        Some(Self {
            total: u64_at(bytes, xsw_usage::XSU_TOTAL)?,
            used: u64_at(bytes, xsw_usage::XSU_USED)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::inventory;
    use crate::macos::recorded::{Recorded, Structure};
    use crate::testing::samples;

    fn statistics() -> [u32; vm::WORDS] {
        let mut words = [0; vm::WORDS];
        for (at, value) in [
            (vm::FREE_COUNT, 10),
            (vm::ACTIVE_COUNT, 20),
            (vm::INACTIVE_COUNT, 30),
            (vm::WIRE_COUNT, 40),
            (vm::PAGEINS, 7),
            (vm::PAGEINS + 1, 1),
            (vm::PAGEOUTS, 3),
            (vm::FAULTS, 5),
            (vm::PURGEABLE_COUNT, 50),
            (vm::SPECULATIVE_COUNT, 2),
            (vm::COMPRESSIONS, 9),
            (vm::DECOMPRESSIONS + 1, 1),
            (vm::EXTERNAL_PAGE_COUNT, 15),
            (vm::SWAPINS, 11),
            (vm::SWAPOUTS, 12),
            (vm::COMPRESSOR_PAGE_COUNT, u32::MAX),
            (vm::INTERNAL_PAGE_COUNT, 60),
        ] {
            words[at] = value;
        }
        words
    }

    fn swap() -> Vec<u8> {
        Structure::new(32)
            .with(0, &(2_u64 << 30).to_le_bytes())
            .with(16, &4096_u64.to_le_bytes())
            .bytes()
    }

    fn mac() -> Recorded {
        let mac = Recorded::default();
        mac.vm(statistics(), vm::WORDS, 16384)
            .name("vm.swapusage", swap())
            .name("hw.memsize", (7_u64 << 30).to_le_bytes());
        mac
    }

    #[test]
    fn pages_become_bytes() {
        assert_eq!(
            samples(&MemInfo::new(mac())),
            [
                "node_memory_active_bytes 327680",
                "node_memory_app_bytes 163840",
                "node_memory_cached_bytes 1.06496e+06",
                "node_memory_compressed_bytes 7.036874416128e+13",
                "node_memory_compressions_pages_total 9",
                "node_memory_decompressions_pages_total 4.294967296e+09",
                "node_memory_free_bytes 163840",
                "node_memory_inactive_bytes 491520",
                "node_memory_internal_bytes 983040",
                "node_memory_page_faults_total 5",
                "node_memory_purgeable_bytes 819200",
                "node_memory_speculative_bytes 32768",
                "node_memory_swap_in_bytes_total 180224",
                "node_memory_swap_out_bytes_total 196608",
                "node_memory_swap_total_bytes 2.147483648e+09",
                "node_memory_swap_used_bytes 4096",
                "node_memory_swapped_in_bytes_total 7.0368744292352e+13",
                "node_memory_swapped_out_bytes_total 49152",
                "node_memory_total_bytes 7.516192768e+09",
                "node_memory_wired_bytes 655360",
            ]
        );
    }

    #[test]
    fn an_older_or_cut_structure_is_refused() {
        let mac = mac();
        mac.vm(statistics(), vm::INTERNAL_PAGE_COUNT, 4096);
        let error = MemInfo::new(mac).update(&mut Families::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "host_statistics64: unexpected answer of 140 bytes"
        );
        assert!((0..32).all(|end| Swap::parse(&swap()[..end]).is_none()));
        assert!((0..=vm::INTERNAL_PAGE_COUNT).all(|end| Pages::parse(&statistics()[..end]).is_none()));
    }

    #[test]
    fn every_value_is_needed() {
        for (name, value) in [("hw.memsize", 0), ("hw.memsize", 7), ("vm.swapusage", 31)] {
            let mac = mac();
            mac.name(name, vec![0; value]);
            let mut out = Families::new();
            let error = MemInfo::new(mac).update(&mut out).unwrap_err();
            assert!(
                error.to_string().starts_with(&format!("sysctl {name}: ")),
                "{error}"
            );
            assert!(out.is_empty());
        }
    }

    #[test]
    fn as_node_exporter_gives_it() {
        let added = [
            "node_memory_app_bytes",
            "node_memory_cached_bytes",
            "node_memory_compressions_pages_total",
            "node_memory_decompressions_pages_total",
            "node_memory_page_faults_total",
            "node_memory_speculative_bytes",
            "node_memory_swap_in_bytes_total",
            "node_memory_swap_out_bytes_total",
        ];
        inventory::check("meminfo", &MemInfo::new(mac()), &added, &[]);
    }
}
