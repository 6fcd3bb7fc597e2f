//! The live system of a Mac: what its kernel answers has to make sense.

use std::collections::BTreeMap;

use ferroalloy_model::Families;
use node_collectors::{NodeCollectors, Platform, Support, registry};

/// Name and labels, as they stand in the text, to value.
fn collect(set: &NodeCollectors) -> BTreeMap<String, f64> {
    let text = String::from_utf8(set.to_text()).unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn the_default_set_succeeds() {
    let set = NodeCollectors::new().unwrap();
    let mut out = Families::new();
    let report = set.collect(&mut out);
    let failures: Vec<_> = report
        .failures()
        .map(|(status, error)| (status.collector, error.to_line()))
        .collect();
    assert!(failures.is_empty(), "{failures:?}");
    let expected = registry()
        .iter()
        .filter(|descriptor| descriptor.support(Platform::MacOs) == Support::On);
    assert_eq!(set.collectors().len(), expected.count());
}

#[test]
fn numbers_agree_with_other_sources() {
    let values = collect(&NodeCollectors::new().unwrap());
    let value = |series: &str| {
        *values
            .get(series)
            .unwrap_or_else(|| panic!("{series} in {values:#?}"))
    };

    let cpus = std::thread::available_parallelism().unwrap().get();
    for cpu in 0..cpus {
        assert!(value(&format!("node_cpu_seconds_total{{cpu=\"{cpu}\",mode=\"idle\"}}")) > 0.0);
    }
    let total = value("node_memory_total_bytes");
    assert!(total >= f64::from(1 << 30));
    let parts = ["active", "inactive", "wired", "free", "compressed"];
    let sum: f64 = parts
        .iter()
        .map(|part| value(&format!("node_memory_{part}_bytes")))
        .sum();
    assert!(sum > total / 2.0 && sum < total * 1.1, "{sum} of {total}");
    assert!(value("node_memory_swap_used_bytes") <= value("node_memory_swap_total_bytes"));

    let (boot, now) = (value("node_boot_time_seconds"), value("node_time_seconds"));
    assert!(boot > 1.5e9 && boot < now, "{boot} {now}");
    let loads = ["node_load1", "node_load5", "node_load15"].map(value);
    assert!(loads.iter().all(|load| (0.0..1e4).contains(load)), "{loads:?}");

    assert!(values.contains_key("node_network_receive_bytes_total{device=\"lo0\"}"));
    let mut roots = values.iter().filter(|(series, _)| {
        series.starts_with("node_filesystem_size_bytes{") && series.ends_with("mountpoint=\"/\"}")
    });
    assert!(*roots.next().unwrap().1 >= f64::from(1 << 30));
    assert!(
        values
            .keys()
            .any(|series| series.starts_with("node_uname_info{") && series.contains("\"Darwin\""))
    );
    assert!(
        values
            .keys()
            .any(|series| series.starts_with("node_os_info{") && series.contains("name=\"macOS\""))
    );
    assert!(
        values
            .iter()
            .any(|(series, version)| series.starts_with("node_os_version{") && *version >= 11.0)
    );
}

#[test]
fn counters_never_fall() {
    let set = NodeCollectors::new().unwrap();
    let mut before = collect(&set);
    for _ in 0..20 {
        let after = collect(&set);
        for (series, value) in &after {
            let counter = series
                .split('{')
                .next()
                .is_some_and(|name| name.ends_with("_total"));
            let earlier = before.get(series).copied().unwrap_or(0.0);
            assert!(
                !counter || *value >= earlier,
                "{series} fell from {earlier} to {value}"
            );
        }
        before = after;
    }
}

#[test]
fn addresses_of_the_loopback() {
    let set = NodeCollectors::builder()
        .only(["netdev"])
        .configure(|options| {
            options.netdev.address_info = true;
            "^lo0$".clone_into(&mut options.netdev.device_include);
        })
        .build()
        .unwrap();
    let values = collect(&set);
    for (address, netmask) in [("127.0.0.1", 8), ("::1", 128), ("fe80::1", 64)] {
        let series = format!(
            "node_network_address_info{{address=\"{address}\",device=\"lo0\",netmask=\"{netmask}\",scope=\"link-local\"}}"
        );
        assert!(values.contains_key(&series), "{series} in {values:#?}");
    }
}
