use super::*;
use crate::macos::inventory;
use crate::macos::recorded::{Recorded, Structure};
use crate::testing::samples;
use proptest::prelude::*;

/// A message about an interface, its counters 1 to 11 in order of their offsets but for the bytes.
fn message(name: &str, index: u16, received: u64, sent: u64) -> Vec<u8> {
    let mut message = Structure::new(180)
        .with(0, &180_u16.to_le_bytes())
        .with(2, &[5, 0x12])
        .with(4, &0x10_u32.to_le_bytes())
        .with(12, &index.to_le_bytes())
        .with(160, &[20, 18])
        .with(165, &[u8::try_from(name.len()).unwrap()])
        .with(168, name.as_bytes());
    for (number, offset) in (24..=104).step_by(8).enumerate() {
        message = message.with(32 + offset, &(number as u64 + 1).to_le_bytes());
    }
    message
        .with(32 + 64, &received.to_le_bytes())
        .with(32 + 72, &sent.to_le_bytes())
        .bytes()
}

fn mib(name: &str, received: u64, sent: u64) -> Vec<u8> {
    Structure::new(180)
        .with(0, name.as_bytes())
        .with(52 + 64, &received.to_le_bytes())
        .with(52 + 72, &sent.to_le_bytes())
        .bytes()
}

/// Another kind of message in the same list: an address of an interface, `struct ifa_msghdr`.
fn address_message() -> Vec<u8> {
    Structure::new(36)
        .with(0, &36_u16.to_le_bytes())
        .with(2, &[5, 0x0c])
        .bytes()
}

fn collector(list: &[Vec<u8>]) -> NetDev<Recorded> {
    let mac = Recorded::default();
    mac.numbers(&INTERFACE_LIST, list.concat());
    NetDev::new(mac, &Options::default(), Mode::Fixed).unwrap()
}

fn bytes(collector: &NetDev<Recorded>, device: &str) -> (f64, f64) {
    let lines = samples(collector);
    let value = |name: &str| {
        let start = format!("node_network_{name}_bytes_total{{device=\"{device}\"}} ");
        lines
            .iter()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap()
            .parse()
            .unwrap()
    };
    (value("receive"), value("transmit"))
}

/// What [`bytes`] gives for these counts.
fn counts(received: u64, sent: u64) -> (f64, f64) {
    (received as f64, sent as f64)
}

#[test]
fn the_lists_count_as_it_is_if_quirks_are_wanted() {
    let mac = Recorded::default();
    let list = |received| message("en0", 4, received, 0);
    mac.numbers(&INTERFACE_LIST, list(u64::from(u32::MAX) - 1023));
    let mut collector = NetDev::new(mac, &Options::default(), Mode::Compat).unwrap();
    let received = |collector: &NetDev<Recorded>| bytes(collector, "en0").0;
    assert_eq!(received(&collector), 4_294_966_272.0);
    collector.sysctl.numbers(&INTERFACE_LIST, list(1024));
    assert_eq!(received(&collector), 1024.0);
    collector.mode = Mode::Fixed;
    collector.sysctl.numbers(&INTERFACE_LIST, list(0));
    assert_eq!(received(&collector), 1024.0);
}

#[test]
fn counters_of_all_interfaces() {
    let collector = collector(&[
        message("lo0", 1, 10, 20),
        address_message(),
        message("en0", 4, 30, 40),
    ]);
    collector
        .sysctl
        .numbers(&interface_data(4), mib("en0", 5_000_000_001, 6_000_000_002));
    let lines = samples(&collector);
    assert_eq!(lines.len(), 22);
    let en0: Vec<_> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("node_network_"))
        .collect();
    for line in [
        "noproto_total{device=\"en0\"} 11",
        "receive_bytes_total{device=\"en0\"} 5.000000001e+09",
        "receive_bytes_total{device=\"lo0\"} 10",
        "receive_drop_total{device=\"en0\"} 10",
        "receive_errs_total{device=\"en0\"} 2",
        "receive_multicast_total{device=\"en0\"} 8",
        "receive_packets_total{device=\"en0\"} 1",
        "transmit_bytes_total{device=\"en0\"} 6.000000002e+09",
        "transmit_bytes_total{device=\"lo0\"} 20",
        "transmit_colls_total{device=\"en0\"} 5",
        "transmit_errs_total{device=\"en0\"} 4",
        "transmit_multicast_total{device=\"en0\"} 9",
        "transmit_packets_total{device=\"en0\"} 3",
    ] {
        assert!(en0.contains(&line), "{line} in {en0:#?}");
    }
}

#[test]
fn names_of_the_kernel_and_filters() {
    let mac = Recorded::default();
    mac.numbers(
        &INTERFACE_LIST,
        [message("lo0", 1, 0, 0), message("en0", 4, 0, 0)].concat(),
    );
    let options = Options {
        device_exclude: "^lo".into(),
        detailed: true,
        ..Options::default()
    };
    let lines = samples(&NetDev::new(mac, &options, Mode::Fixed).unwrap());
    assert_eq!(lines.len(), 11);
    for name in [
        "receive_errors",
        "receive_dropped",
        "transmit_errors",
        "collisions",
        "noproto",
    ] {
        let start = format!("node_network_{name}_total{{device=\"en0\"}} ");
        assert!(
            lines.iter().any(|line| line.starts_with(&start)),
            "{start} in {lines:#?}"
        );
    }
}

#[test]
fn options_for_linux_are_refused() {
    let refused = |options| {
        NetDev::new(Recorded::default(), &options, Mode::Fixed)
            .err()
            .unwrap()
            .to_string()
    };
    assert_eq!(
        refused(Options {
            netlink: false,
            ..Options::default()
        }),
        "netdev.netlink is for Linux only"
    );
    let options = Options {
        label_ifalias: true,
        ..Options::default()
    };
    assert_eq!(refused(options), "netdev.label-ifalias is for Linux only");
}

#[test]
fn truncated_bytes_go_on_past_32_bits() {
    let collector = collector(&[message("en0", 4, 0xffff_f000, 100)]);
    assert_eq!(bytes(&collector, "en0"), counts(0xffff_f000, 100));
    collector
        .sysctl
        .numbers(&INTERFACE_LIST, message("en0", 4, 0x400, 100));
    assert_eq!(bytes(&collector, "en0"), counts(0x1_0000_0400, 100));
    // The exact numbers are back, then gone again, and the list rounds down.
    collector
        .sysctl
        .numbers(&interface_data(4), mib("en0", 0x1_0000_0933, (5 << 32) + 130));
    assert_eq!(bytes(&collector, "en0"), counts(0x1_0000_0933, (5 << 32) + 130));
    collector
        .sysctl
        .forget_numbers(&interface_data(4))
        .numbers(&INTERFACE_LIST, message("en0", 4, 0x800, 128));
    assert_eq!(bytes(&collector, "en0"), counts(0x1_0000_0933, (5 << 32) + 130));
    // A kernel that does not truncate is believed.
    collector
        .sysctl
        .numbers(&INTERFACE_LIST, message("en0", 4, 7 << 32, 6 << 32));
    assert_eq!(bytes(&collector, "en0"), counts(7 << 32, 6 << 32));
}

#[test]
fn another_interface_starts_anew() {
    let collector = collector(&[message("utun3", 9, u64::from(u32::MAX), 5)]);
    assert_eq!(bytes(&collector, "utun3"), counts(u64::from(u32::MAX), 5));
    collector
        .sysctl
        .numbers(&INTERFACE_LIST, message("utun3", 12, 40, 5));
    assert_eq!(bytes(&collector, "utun3"), counts(40, 5));
    // The number now is that of another interface: what it counts is not this one's.
    collector
        .sysctl
        .numbers(&interface_data(12), mib("utun4", 77, 77));
    assert_eq!(bytes(&collector, "utun3"), counts(40, 5));
    collector
        .sysctl
        .numbers(&interface_data(12), &mib("utun3", 77, 77)[..179]);
    assert_eq!(bytes(&collector, "utun3"), counts(40, 5));
}

#[test]
fn odd_lists() {
    assert_eq!(interfaces(&[]), Some(vec![]));
    let whole = message("en0", 4, 0, 0);
    assert!((1..180).all(|end| interfaces(&whole[..end]).is_none()));
    for length in 0..4_u16 {
        let mut endless = whole.clone();
        endless[..2].copy_from_slice(&length.to_le_bytes());
        assert_eq!(interfaces(&endless), None);
    }
    let passed_over = [
        (2, 4_u8),
        (3, 0x0e),
        (4, 0),
        (160, 7),
        (160, 200),
        (161, 2),
        (165, 0),
        (165, 13),
    ];
    for (at, byte) in passed_over {
        let mut odd = whole.clone();
        odd[at] = byte;
        assert_eq!(interfaces(&odd), Some(vec![]), "byte {at} as {byte}");
    }
    let short = Structure::new(100)
        .with(0, &100_u16.to_le_bytes())
        .with(2, &[5, 0x12])
        .bytes();
    assert_eq!(interfaces(&short), Some(vec![]));
    let error = collector(&[whole[..7].to_vec()])
        .update(&mut Families::new())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "sysctl net.route NET_RT_IFLIST2: unexpected answer of 7 bytes"
    );
}

#[test]
fn the_name_may_come_after_other_addresses() {
    let link = [8 + 3, 18, 0, 0, 0, 3, 0, 0, b'e', b'n', b'7'];
    let addresses = [&[0; 4][..], &[5, 2, 0, 0, 0, 0, 0, 0], &link].concat();
    assert_eq!(link_name(&addresses, 0b10101), Some(&b"en7"[..]));
    assert_eq!(link_name(&addresses, 0b00101), None);
    assert_eq!(link_name(&addresses[..22], 0b10101), None);
    assert_eq!(link_name(&[], 0b10000), None);
    assert_eq!(link_name(&[], 1), None);
}

#[test]
fn as_node_exporter_gives_it() {
    let mac = Recorded::default();
    mac.numbers(&INTERFACE_LIST, message("lo0", 1, 0, 0));
    // The addresses are those of the machine that runs this.
    let options = Options {
        address_info: true,
        ..Options::default()
    };
    inventory::check(
        "netdev",
        &NetDev::new(mac, &options, Mode::Fixed).unwrap(),
        &[],
        &[],
    );
}

proptest! {
    #[test]
    fn nothing_panics(noise: Vec<u8>, changes in prop::collection::vec((0..396_usize, any::<u8>()), 0..6)) {
        let _ = (interfaces(&noise), bytes_of(&noise, b"en0"));
        let mut list = [message("lo0", 1, 1, 1), address_message(), message("en0", 4, 2, 2)].concat();
        for (at, byte) in changes {
            list[at] = byte;
        }
        if let Some(interfaces) = interfaces(&list) {
            prop_assert!(interfaces.len() <= list.len() / 160);
        }
    }
}
