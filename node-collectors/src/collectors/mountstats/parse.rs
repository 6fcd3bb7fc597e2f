//! The grammar of `mountstats`.

use std::borrow::Cow;

use crate::text;

/// Times are kept in a float, whose whole numbers end here; node_exporter cuts them so.
const TIME_BITS: u64 = (1 << 53) - 1;
/// Where the times of an operation begin, behind its counts.
const TIMES: usize = 5;

/// An NFS mount and what it has done.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Mount<'a> {
    pub(super) device: &'a str,
    pub(super) point: &'a str,
    pub(super) age: u64,
    pub(super) bytes: Vec<u64>,
    pub(super) events: Vec<u64>,
    /// By name; times in seconds.
    pub(super) operations: Vec<(&'a str, [f64; 8])>,
    pub(super) transports: Vec<Transport<'a>>,
}

/// A connection to the server.
#[derive(Debug, PartialEq)]
pub(super) struct Transport<'a> {
    pub(super) protocol: &'a str,
    /// Binds, connects, idle seconds, sends, receives, unknown answers, backlog, slots, sending, pending.
    pub(super) values: [f64; 10],
}

type Fault = Cow<'static, str>;

/// Each mount in order: an NFS one with its statistics, nothing for another, or what is wrong with it.
pub(super) fn mounts(text: &str) -> Vec<Result<Option<Mount<'_>>, Fault>> {
    let mut mounts = Vec::new();
    let mut version = "";
    let mut operations = false;
    for line in text.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        if words.first() == Some(&"device") {
            let (mount, said) = head(&words);
            version = said;
            operations = false;
            mounts.push(mount);
            continue;
        }
        let Some(Ok(Some(mount))) = mounts.last_mut() else {
            continue;
        };
        let result = match words.first() {
            None => {
                operations = false;
                Ok(())
            }
            Some(&"per-op") => {
                operations = true;
                Ok(())
            }
            Some(_) if operations => operation(&words, mount),
            Some(_) => statistics(&words, version, mount),
        };
        if let (Err(fault), Some(last)) = (result, mounts.last_mut()) {
            *last = Err(fault);
        }
    }
    mounts
}

/// `device D mounted on M with fstype T statvers=V`, or `no device mounted …`.
fn head<'a>(words: &[&'a str]) -> (Result<Option<Mount<'a>>, Fault>, &'a str) {
    let (device, point, kind) = match words {
        [_, device, "mounted", "on", point, "with", "fstype", kind, ..] => (*device, *point, *kind),
        _ => return (Err("a line that begins with device says no more".into()), ""),
    };
    let version = words.get(8).and_then(|word| word.strip_prefix("statvers="));
    match (kind, version) {
        ("nfs" | "nfs4", version) => {
            let mount = Mount {
                device,
                point,
                ..Mount::default()
            };
            (Ok(Some(mount)), version.unwrap_or_default())
        }
        (_, None) => (Ok(None), ""),
        (kind, Some(_)) => (
            Err(format!("statistics of {kind:?}, which is not NFS").into()),
            "",
        ),
    }
}

fn statistics<'a>(words: &[&'a str], version: &str, mount: &mut Mount<'a>) -> Result<(), Fault> {
    let rest = words.get(1..).unwrap_or_default();
    match words.first() {
        Some(&"age:") => mount.age = numbers(rest)?.first().copied().ok_or("age: has no number")?,
        Some(&"bytes:") => mount.bytes = exactly(rest, 8, "bytes:")?,
        Some(&"events:") => mount.events = exactly(rest, 27, "events:")?,
        Some(&"xprt:") => mount.transports.push(transport(rest, version)?),
        _ => {}
    }
    Ok(())
}

fn operation<'a>(words: &[&'a str], mount: &mut Mount<'a>) -> Result<(), Fault> {
    let [name, values @ ..] = words else { return Ok(()) };
    let values = numbers(values)?;
    let Some(values) = values.first_chunk::<8>() else {
        return Err(format!("{name} has {} numbers", values.len()).into());
    };
    let mut seconds = values.map(|value| value as f64);
    for (seconds, milliseconds) in seconds.iter_mut().zip(values).skip(TIMES) {
        *seconds = (milliseconds & TIME_BITS) as f64 / 1000.0;
    }
    mount.operations.push((name.trim_end_matches(':'), seconds));
    Ok(())
}

/// Behind the protocol: port, binds, connects, time to connect, idle, sends, receives, unknown answers, requests in
/// flight, backlog, and from version 1.1 slots, sending, pending. UDP has nothing of connections.
fn transport<'a>(words: &[&'a str], version: &str) -> Result<Transport<'a>, Fault> {
    let [protocol, rest @ ..] = words else {
        return Err("xprt: names no protocol".into());
    };
    let fault = || Fault::from(format!("xprt: {protocol} has {} numbers", rest.len()));
    let (connected, fits) = match (*protocol, version) {
        ("tcp", "1.0") => (true, rest.len() == 10),
        ("tcp", "1.1") => (true, rest.len() == 13),
        ("udp", "1.0") => (false, rest.len() == 7),
        ("udp", "1.1") => (false, rest.len() == 10),
        ("rdma", "1.0" | "1.1") => (true, rest.len() >= 20),
        _ => return Err(format!("xprt: protocol {protocol:?} of version {version:?} is unknown").into()),
    };
    if !fits {
        return Err(fault());
    }
    let mut values = numbers(rest)?;
    if !connected {
        values.splice(2..2, [0; 3]);
    }
    let has_slots = version == "1.1" && *protocol != "rdma";
    let at = |index: usize| values.get(index).copied().unwrap_or(0);
    let slots = |index: usize| if has_slots { at(index) as f64 } else { 0.0 };
    let idle = (at(4) & TIME_BITS) as f64;
    let plain = [at(1), at(2), at(5), at(6), at(7), at(9)].map(|value| value as f64);
    let [binds, connects, sends, receives, unknown, backlog] = plain;
    Ok(Transport {
        protocol,
        values: [
            binds,
            connects,
            idle,
            sends,
            receives,
            unknown,
            backlog,
            slots(10),
            slots(11),
            slots(12),
        ],
    })
}

fn exactly(words: &[&str], count: usize, name: &str) -> Result<Vec<u64>, Fault> {
    let numbers = numbers(words)?;
    if numbers.len() == count {
        Ok(numbers)
    } else {
        Err(format!("{name} has {} numbers, not {count}", numbers.len()).into())
    }
}

fn numbers(words: &[&str]) -> Result<Vec<u64>, Fault> {
    words
        .iter()
        .map(|word| {
            text::decimal(word.as_bytes()).ok_or_else(|| Fault::from(format!("{word:?} is no number")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::never_panics;

    const HEAD: &str = "device s:/e mounted on /m with fstype nfs statvers=1.1\n";

    fn one(line: &str) -> Result<Option<Mount<'static>>, Fault> {
        mounts(Box::leak(format!("{HEAD}{line}\n").into_boxed_str())).remove(0)
    }

    #[test]
    fn transports_of_each_kind() {
        let values = |line: &str| one(line).unwrap().unwrap().transports.remove(0).values;
        assert_eq!(
            values("xprt: udp 832 1 2 3 4 5 6 7 8 9"),
            [1.0, 0.0, 0.0, 2.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0]
        );
        let rdma = format!("xprt: rdma {}", "7 ".repeat(20));
        assert_eq!(values(&rdma), [7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 0.0, 0.0, 0.0]);
        for bad in [
            "xprt:",
            "xprt: tcp 1",
            "xprt: x 1",
            "bytes: 1",
            "events: 1 2",
            "age: -1",
        ] {
            assert!(one(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn other_file_systems_and_garbled_heads() {
        assert_eq!(
            mounts("device /dev/a mounted on / with fstype ext4\n"),
            [Ok(None)]
        );
        assert!(mounts("device x with\n")[0].is_err());
        assert!(mounts("device a mounted on / with fstype ext4 statvers=1.0\n")[0].is_err());
        let sample = format!("{HEAD}age: 1\nper-op statistics\n READ: 1 2 3 4 5 6 7 8\n\n");
        never_panics(&sample, |text| {
            let text = text::utf8(text);
            mounts(&text).len()
        });
    }
}
