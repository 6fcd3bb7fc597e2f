//! Netlink (netlink(7)): dumps of links, neighbours, routes, queueing disciplines (rtnetlink(7)) and sockets (sock_diag(7))
//! of the running system's network namespace.
//! Messages and attributes are read as bytes by total iterators.

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

use crate::error::Error;
use crate::read::Buffer;

/// Asks for links; answered by [`NEW_LINK`].
pub(crate) const GET_LINK: u16 = 18;
pub(crate) const NEW_LINK: u16 = 16;
/// Asks for neighbours; answered by [`NEW_NEIGHBOUR`].
pub(crate) const GET_NEIGHBOUR: u16 = 30;
pub(crate) const NEW_NEIGHBOUR: u16 = 28;
/// Asks for routes; answered by [`NEW_ROUTE`].
pub(crate) const GET_ROUTE: u16 = 26;
pub(crate) const NEW_ROUTE: u16 = 24;
/// Asks for queueing disciplines; answered by [`NEW_QDISC`].
pub(crate) const GET_QDISC: u16 = 38;
pub(crate) const NEW_QDISC: u16 = 36;
/// Asks for sockets of a family, and is the type of the answers (sock_diag(7)).
pub(crate) const SOCKET_DIAGNOSIS: u16 = 20;

/// Attribute of a link: its name, with a final NUL.
pub(crate) const LINK_NAME: u16 = 3;
/// Attribute of a link: 32-bit statistics.
pub(crate) const LINK_STATS: u16 = 7;
/// Attribute of a link: 64-bit statistics.
pub(crate) const LINK_STATS64: u16 = 23;

const ERROR: u16 = 2;
const DONE: u16 = 3;
const HEADER: usize = 16;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const REQUEST_DUMP: u16 = 0x001 | 0x300;
/// The kernel fills no more than this per answer.
const ANSWER: usize = 32 << 10;

/// Sends a dump request with `body` after the header, and gives `each` the body of every message of type `answer`.
pub(crate) fn dump(request: u16, body: &[u8], answer: u16, each: impl FnMut(&[u8])) -> Result<(), Error> {
    dump_from(SockProtocol::NetlinkRoute, request, body, answer, each)
}

/// As [`dump`], of sockets; the answers have the type of the request.
pub(crate) fn dump_sockets(request: u16, body: &[u8], each: impl FnMut(&[u8])) -> Result<(), Error> {
    dump_from(SockProtocol::NetlinkSockDiag, request, body, request, each)
}

/// The messages of a generic netlink family's controller (linux/genetlink.h).
const CONTROLLER: u16 = 16;
const GET_FAMILY: u8 = 3;

/// The number that a generic netlink family goes by; absence is the error of a file that is not there.
pub(crate) fn generic_family(wanted: &str) -> Result<u16, Error> {
    let mut found = None;
    dump_generic(CONTROLLER, GET_FAMILY, &[], |body| {
        let of = |wanted| attributes(body).find(|(kind, _)| *kind == wanted);
        if of(2).and_then(|(_, value)| name(value)) == Some(wanted) {
            let number = of(1).and_then(|(_, value)| value.first_chunk());
            found = number.map(|number| u16::from_ne_bytes(*number));
        }
    })?;
    found.ok_or_else(|| {
        Error::system(
            &format!("netlink, which has no {wanted},"),
            nix::errno::Errno::ENOENT,
        )
    })
}

/// Asks a generic netlink family for all that `command` lists; `each` gets the attributes of every answer.
pub(crate) fn dump_generic(
    family: u16,
    command: u8,
    about: &[u8],
    mut each: impl FnMut(&[u8]),
) -> Result<(), Error> {
    // Command, version, two bytes that are reserved; answers begin with the same.
    let body = [&[command, 1, 0, 0], about].concat();
    dump_from(SockProtocol::NetlinkGeneric, family, &body, family, |body| {
        each(body.get(4..).unwrap_or_default());
    })
}

fn dump_from(
    protocol: SockProtocol,
    request: u16,
    body: &[u8],
    answer: u16,
    mut each: impl FnMut(&[u8]),
) -> Result<(), Error> {
    let fail = |error| Error::system("netlink", error);
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        protocol,
    )
    .map_err(fail)?;
    let mut message = Vec::with_capacity(HEADER + body.len());
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    message.extend_from_slice(&length.to_ne_bytes());
    message.extend_from_slice(&request.to_ne_bytes());
    message.extend_from_slice(&REQUEST_DUMP.to_ne_bytes());
    message.extend_from_slice(&[0; 8]);
    message.extend_from_slice(body);
    let fd = std::os::fd::AsRawFd::as_raw_fd(&socket);
    send(fd, &message, MsgFlags::empty()).map_err(fail)?;
    let mut buffer = Buffer::take();
    let bytes = buffer.space(ANSWER);
    loop {
        let end = recv(fd, bytes, MsgFlags::empty()).map_err(fail)?;
        if end == 0 {
            return Ok(());
        }
        for message in messages(&bytes[..end]) {
            match message.kind {
                DONE => return Ok(()),
                ERROR => {
                    let code = message
                        .body
                        .first_chunk()
                        .map_or(0, |code| i32::from_ne_bytes(*code));
                    return Err(fail(nix::errno::Errno::from_raw(code.saturating_neg())));
                }
                kind if kind == answer => each(message.body),
                _ => {}
            }
        }
    }
}

/// A message without its header.
struct Message<'a> {
    kind: u16,
    body: &'a [u8],
}

/// The whole messages in `bytes`; what is cut off ends them.
fn messages(bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = u32::from_ne_bytes(*rest.first_chunk()?) as usize;
        let kind = u16::from_ne_bytes(*rest.get(4..)?.first_chunk()?);
        let body = rest.get(HEADER..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message { kind, body })
    })
}

/// The attributes (type, value) in `bytes`, which begin after a message's fixed part.
pub(crate) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
        let kind = u16::from_ne_bytes(*rest.get(2..)?.first_chunk()?);
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        // The two high bits are flags.
        Some((kind & 0x3fff, value))
    })
}

/// A name attribute without its NUL.
pub(crate) fn name(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value.strip_suffix(b"\0").unwrap_or(value)).ok()
}

/// An attribute as the kernel writes it.
#[cfg(test)]
pub(crate) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 4).unwrap();
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_loopback_is_among_the_links() {
        let mut names = Vec::new();
        dump(GET_LINK, &[0; 16], NEW_LINK, |body| {
            for (kind, value) in attributes(body.get(16..).unwrap_or_default()) {
                if kind == LINK_NAME {
                    names.extend(name(value).map(str::to_owned));
                }
            }
        })
        .unwrap();
        assert!(names.contains(&"lo".to_owned()), "{names:?}");
    }

    #[test]
    fn the_controller_knows_itself_and_no_other_name() {
        assert_eq!(generic_family("nlctrl").unwrap(), CONTROLLER);
        assert!(generic_family("no such").unwrap_err().is_not_found());
    }

    #[test]
    fn a_refused_request_is_an_error() {
        assert!(dump(9999, &[0; 16], 0, |_| ()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes: Vec<u8>) {
            prop_assert!(messages(&bytes).count() <= bytes.len() / HEADER);
            prop_assert!(attributes(&bytes).count() <= bytes.len() / 4);
        }
    }
}
