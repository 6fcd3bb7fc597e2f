//! macOS: the sockets in `sysctl net.inet.tcp.pcblist_n`, which any user may read.
//!
//! The list is a run of blocks, each with its length, kind and padding to eight bytes, between a head and a tail
//! (`get_pcblist_n` in bsd/netinet/in_pcblist.c). Blocks of unknown kinds are passed over by their length.

use std::mem::offset_of;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Outcome};
use crate::error::Error;
use crate::macos::bytes::u32_at;
use crate::macos::calls::{self, Sysctl};

pub(super) struct TcpStat<S> {
    sysctl: S,
}

impl<S: Sysctl> TcpStat<S> {
    pub(super) fn new(sysctl: S) -> Self {
        Self { sysctl }
    }
}

/// Names as on Linux of the states in `<netinet/tcp_fsm.h>`, from `TCPS_CLOSED`.
const STATES: [&str; 11] = [
    "close",
    "listen",
    "syn_sent",
    "syn_recv",
    "established",
    "close_wait",
    "fin_wait1",
    "closing",
    "last_ack",
    "fin_wait2",
    "time_wait",
];

/// Kinds of blocks: `XSO_RCVBUF`, `XSO_SNDBUF` and `XSO_TCPCB` in bsd/sys/socketvar.h.
const RECEIVE_BUFFER: u32 = 0x2;
const SEND_BUFFER: u32 = 0x4;
const CONNECTION: u32 = 0x20;

/// `sb_cc` of `struct xsockbuf_n`, `t_state` of `struct xtcpcb_n`.
const BUFFERED: usize = 8;
const STATE: usize = 36;
/// Where a block's kind is, behind its length.
const KIND: usize = 4;
/// Length and kind, with which each block begins.
const HEAD: usize = 8;

// The offsets as a compiler finds them, from the beginnings of the structures in bsd/sys/socketvar.h and
// bsd/netinet/tcp_var.h, of which there are no public headers.
#[allow(dead_code, reason = "only where the fields are is of interest")]
const _: () = {
    #[repr(C, packed(4))]
    struct Buffer {
        length: u32,
        kind: u32,
        bytes: u32,
    }
    #[repr(C, packed(4))]
    struct Connection {
        length: u32,
        kind: u32,
        segments: u64,
        duplicates: i32,
        timers: [i32; 4],
        state: i32,
    }
    assert!(offset_of!(Buffer, kind) == KIND && offset_of!(Connection, kind) == KIND);
    assert!(offset_of!(Buffer, bytes) == BUFFERED && HEAD == BUFFERED);
    assert!(offset_of!(Connection, state) == STATE);
};

#[derive(Debug, Default, PartialEq)]
struct Count {
    states: [u32; STATES.len()],
    received: u64,
    to_send: u64,
}

/// `None` if a block does not end inside the list.
fn count(list: &[u8]) -> Option<Count> {
    let mut count = Count::default();
    let length = |block: &[u8]| usize::try_from(u32_at(block, 0)?).ok();
    // The head has the number of sockets where blocks have their kind.
    let head = length(list)?.next_multiple_of(8);
    let mut rest = list.get(head..)?;
    // The tail is as long as the head, and has no kind either.
    while rest.len() > head {
        let length = length(rest).filter(|length| *length >= HEAD)?;
        let block = rest.get(..length)?;
        match u32_at(block, KIND)? {
            RECEIVE_BUFFER => count.received += u64::from(u32_at(block, BUFFERED)?),
            SEND_BUFFER => count.to_send += u64::from(u32_at(block, BUFFERED)?),
            CONNECTION => {
                let state = usize::try_from(u32_at(block, STATE)?).ok()?;
                if let Some(sockets) = count.states.get_mut(state) {
                    *sockets += 1;
                }
            }
            _ => {}
        }
        rest = rest.get(length.checked_next_multiple_of(8)?..)?;
    }
    Some(count)
}

impl<S: Sysctl> Collector for TcpStat<S> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let count = calls::value(&self.sysctl, c"net.inet.tcp.pcblist_n", count)?;
        let help = "Number of connection states.";
        let mut family = out.family("node_tcp_connection_states", help, MetricKind::Gauge);
        let mut sample = |state, value| {
            family.sample(&[("state", state)], value);
        };
        for (state, sockets) in STATES
            .iter()
            .zip(count.states)
            .filter(|(_, sockets)| *sockets > 0)
        {
            sample(state, f64::from(sockets));
        }
        sample("rx_queued_bytes", count.received as f64);
        sample("tx_queued_bytes", count.to_send as f64);
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::macos::recorded::{Recorded, Structure};
    use crate::testing::samples;

    /// A block of this length and kind with a number in it, and what fills it up to eight bytes.
    fn block(length: u32, kind: u32, offset: usize, number: u32) -> Vec<u8> {
        let size = usize::try_from(length).unwrap();
        Structure::new(size.next_multiple_of(8))
            .with(0, &length.to_le_bytes())
            .with(4, &kind.to_le_bytes())
            .with(offset, &number.to_le_bytes())
            .bytes()
    }

    fn list(states: &[u32]) -> Vec<u8> {
        // As kinds, the numbers of sockets in head and tail would be buffers.
        let end = block(24, RECEIVE_BUFFER, BUFFERED, 77);
        let sockets = states.iter().flat_map(|state| {
            [
                block(104, 0x10, 8, 9),
                block(108, 0x1, 8, 9),
                block(36, RECEIVE_BUFFER, BUFFERED, 5),
                block(36, SEND_BUFFER, BUFFERED, 7),
                block(204, CONNECTION, STATE, *state),
            ]
            .concat()
        });
        [end.clone(), sockets.collect(), end].concat()
    }

    #[test]
    fn sockets_by_state() {
        let sysctl = Recorded::default();
        sysctl.name("net.inet.tcp.pcblist_n", list(&[4, 1, 4, 10, 11]));
        assert_eq!(
            samples(&TcpStat { sysctl }),
            [
                "node_tcp_connection_states{state=\"established\"} 2",
                "node_tcp_connection_states{state=\"listen\"} 1",
                "node_tcp_connection_states{state=\"rx_queued_bytes\"} 25",
                "node_tcp_connection_states{state=\"time_wait\"} 1",
                "node_tcp_connection_states{state=\"tx_queued_bytes\"} 35",
            ]
        );
    }

    #[test]
    fn a_list_without_sockets_and_lists_that_are_cut() {
        assert_eq!(count(&list(&[])), Some(Count::default()));
        let whole = list(&[4]);
        // The connection's own end is found by its length alone; all before it has to be there.
        let connection = whole.len() - 24 - 208;
        for end in [0, 3, 23, 50, connection + 30] {
            assert_eq!(count(&whole[..end]), None, "{end}");
        }
        let error = TcpStat {
            sysctl: Recorded::default(),
        }
        .update(&mut Families::new());
        assert!(error.unwrap_err().is_not_found());
    }

    proptest! {
        #[test]
        fn any_list_ends(changes in prop::collection::vec((0..1000_usize, any::<u8>()), 0..20)) {
            let mut list = list(&[4, 1]);
            for (at, byte) in changes {
                if let Some(place) = list.get_mut(at) {
                    *place = byte;
                }
            }
            count(&list);
        }
    }
}
