//! The packet of NTP (RFC 5905, 7.3).

use std::time::Duration;

/// Bytes of a packet without extensions.
pub(super) const LENGTH: usize = 48;
/// Seconds from 1900, where NTP's time begins, to 1970.
const TO_UNIX: u64 = 2_208_988_800;

/// What a server says; times in seconds since 1970.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) leap: u8,
    pub(super) stratum: u8,
    pub(super) root_delay: f64,
    pub(super) root_dispersion: f64,
    pub(super) reference: f64,
    /// As it was in the query.
    pub(super) origin: u64,
    pub(super) received: f64,
    pub(super) transmitted: f64,
}

/// A query that is sent at `timestamp`.
pub(super) fn request(version: u8, timestamp: u64) -> [u8; LENGTH] {
    let mut packet = [0; LENGTH];
    // Mode 3 is a client.
    packet[0] = version << 3 | 3;
    packet[40..].copy_from_slice(&timestamp.to_be_bytes());
    packet
}

impl Answer {
    /// The answer of a server; nothing if it is not one.
    pub(super) fn parse(packet: &[u8]) -> Option<Self> {
        let packet: &[u8; LENGTH] = packet.first_chunk()?;
        if packet[0] & 7 != 4 {
            return None;
        }
        let short = |at: usize| {
            let bytes = packet.get(at..)?.first_chunk()?;
            Some(f64::from(u32::from_be_bytes(*bytes)) / 65536.0)
        };
        let long = |at: usize| Some(u64::from_be_bytes(*packet.get(at..)?.first_chunk()?));
        Some(Self {
            leap: packet[0] >> 6,
            stratum: packet[1],
            root_delay: short(4)?,
            root_dispersion: short(8)?,
            reference: seconds(long(16)?),
            origin: long(24)?,
            received: seconds(long(32)?),
            transmitted: seconds(long(40)?),
        })
    }
}

/// 32 bits of seconds since 1900, 32 of their fraction.
pub(super) fn timestamp(since_1970: Duration) -> u64 {
    let fraction = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;
    (since_1970.as_secs() + TO_UNIX) << 32 | fraction
}

/// Seconds since 1970, before it if negative; times up to 1968 are those of the era that begins in 2036 (RFC 4330, 3).
pub(super) fn seconds(timestamp: u64) -> f64 {
    let whole = timestamp >> 32;
    let era = if timestamp != 0 && whole < 1 << 31 {
        1 << 32
    } else {
        0
    };
    (whole + era) as f64 - TO_UNIX as f64 + (timestamp & 0xffff_ffff) as f64 / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times() {
        let time = Duration::new(1_700_000_000, 500_000_000);
        assert_eq!(seconds(timestamp(time)), 1_700_000_000.5);
        assert_eq!(
            seconds(timestamp(Duration::from_secs(2_100_000_001))),
            2_100_000_001.0
        );
        assert!(seconds(0) < 0.0);
        assert_eq!(Answer::parse(&[0x24; 47]), None);
        assert_eq!(Answer::parse(&request(4, 1)), None);
    }

    proptest! {
        #[test]
        fn any_packet_is_read(packet: Vec<u8>) {
            let _ = Answer::parse(&packet);
        }
    }
}
