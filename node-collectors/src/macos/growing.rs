//! Asking the kernel for a value whose size is not known beforehand and may change between two calls.

use std::io;

/// Bytes that are tried first: every value of fixed size that is asked for fits.
const FIRST: usize = 512;
/// Most bytes that are accepted: the list of a thousand interfaces is a tenth of it.
const LARGEST: usize = 16 << 20;
/// How often a value may have grown again until it is read.
const ATTEMPTS: usize = 8;
/// Room for array elements that appear between counting and reading.
const SPARE: usize = 8;

/// Replaces the content of `out` by a value. `call` writes as much of it as fits to the buffer and gives its length,
/// or fails with `ENOMEM` or `ENOBUFS` if that is not all; without a buffer it estimates the length.
pub(crate) fn value(
    out: &mut Vec<u8>,
    mut call: impl FnMut(Option<&mut [u8]>) -> io::Result<usize>,
) -> io::Result<()> {
    let mut room = out.capacity().clamp(FIRST, LARGEST);
    for _ in 0..ATTEMPTS {
        clear(out, room);
        match call(Some(out)) {
            Ok(length) => {
                out.truncate(length);
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // The latter if a list of the kernel's grew while it was copied (`sysctl_iflist2` in bsd/net/rtsock.c).
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOMEM | libc::ENOBUFS)) => {}
            Err(error) => {
                out.clear();
                return Err(error);
            }
        }
        out.clear();
        let needed = call(None)?;
        if needed > LARGEST {
            return Err(io::Error::other(format!("the value has {needed} bytes")));
        }
        // At least doubled: an estimate that is too small twice must not be tried again as it was.
        room = (needed + needed / 4).max(room * 2).min(LARGEST);
    }
    out.clear();
    Err(io::Error::other("the value did not stop growing"))
}

/// Replaces the content of `out` by an array of elements of `size` bytes. `call` writes as many as fit to the buffer
/// and gives their number; without a buffer it gives the number there are.
pub(crate) fn array(
    out: &mut Vec<u8>,
    size: usize,
    mut call: impl FnMut(Option<&mut [u8]>) -> io::Result<usize>,
) -> io::Result<()> {
    for _ in 0..ATTEMPTS {
        out.clear();
        let places = call(None)?.saturating_add(SPARE);
        let Some(room) = places.checked_mul(size).filter(|room| *room <= LARGEST) else {
            return Err(io::Error::other(format!("the array has {places} elements")));
        };
        clear(out, room);
        let count = match call(Some(out)) {
            Ok(count) => count,
            Err(error) => {
                out.clear();
                return Err(error);
            }
        };
        // An array without free places may have been cut.
        if count < places {
            out.truncate(count * size);
            return Ok(());
        }
    }
    out.clear();
    Err(io::Error::other("the array did not stop growing"))
}

/// Fills `out` with `room` zeros, so that nothing is taken for the kernel's that it did not write.
fn clear(out: &mut Vec<u8>, room: usize) {
    out.clear();
    out.resize(room, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_room() -> io::Error {
        io::Error::from_raw_os_error(libc::ENOMEM)
    }

    /// A value that has these lengths one after another, each time it is asked for with a buffer.
    fn kernel(lengths: &[usize]) -> impl FnMut(Option<&mut [u8]>) -> io::Result<usize> {
        let (mut lengths, mut length) = (lengths.iter().copied(), 0);
        move |buffer| {
            let Some(buffer) = buffer else { return Ok(length) };
            length = lengths.next().unwrap();
            let fitting = length.min(buffer.len());
            buffer[..fitting].fill(7);
            if fitting < length {
                Err(no_room())
            } else {
                Ok(length)
            }
        }
    }

    #[test]
    fn a_value_is_read_in_one_call_or_as_many_as_it_takes() {
        let mut out = vec![1; 9];
        value(&mut out, kernel(&[4])).unwrap();
        assert_eq!(out, [7; 4]);
        value(&mut out, kernel(&[0])).unwrap();
        assert!(out.is_empty());
    }

    #[test]
    fn a_value_that_grows() {
        let mut out = Vec::new();
        value(&mut out, kernel(&[2000, 3000, 3000])).unwrap();
        assert_eq!(out, vec![7; 3000]);
        out = Vec::new();
        let tripling: Vec<usize> = (0..8).map(|step| 4000 * 3_usize.pow(step)).collect();
        let error = value(&mut out, kernel(&tripling));
        assert_eq!(error.unwrap_err().to_string(), "the value did not stop growing");
        assert!(out.is_empty());
        let error = value(&mut out, kernel(&[LARGEST + 1])).unwrap_err();
        assert_eq!(error.to_string(), "the value has 16777217 bytes");
    }

    #[test]
    fn a_bad_estimate_is_not_tried_for_ever() {
        let mut asked = Vec::new();
        let mut out = Vec::new();
        value(&mut out, |buffer| {
            let Some(buffer) = buffer else { return Ok(0) };
            asked.push(buffer.len());
            if buffer.len() < 3000 {
                Err(no_room())
            } else {
                Ok(buffer.len())
            }
        })
        .unwrap();
        assert_eq!(asked, [512, 1024, 2048, 4096]);
    }

    #[test]
    fn a_list_that_grew_while_it_was_copied_is_read_again() {
        let mut answers = [Err(io::Error::from_raw_os_error(libc::ENOBUFS)), Ok(3), Ok(3)].into_iter();
        let mut out = Vec::new();
        value(&mut out, |_| answers.next().unwrap()).unwrap();
        assert_eq!(out, [0; 3]);
    }

    #[test]
    fn an_interrupted_call_is_repeated_and_another_failure_is_not() {
        let mut out = Vec::new();
        let mut interrupted = false;
        value(&mut out, |buffer| {
            if !std::mem::replace(&mut interrupted, true) {
                return Err(io::Error::from(io::ErrorKind::Interrupted));
            }
            Ok(buffer.map_or(0, |_| 1))
        })
        .unwrap();
        assert_eq!(out, [0]);
        let error = value(&mut out, |_| Err(io::Error::from(io::ErrorKind::NotFound))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(out.is_empty());
    }

    #[test]
    fn an_array_that_grows_is_counted_again() {
        let mut counts = [3, 11, 11, 12].into_iter();
        let mut out = Vec::new();
        array(&mut out, 10, |buffer| {
            let count = counts.next().unwrap();
            Ok(buffer.map_or(count, |buffer| count.min(buffer.len() / 10)))
        })
        .unwrap();
        assert_eq!(out, [0; 120]);
        assert!(
            array(&mut out, 10, |buffer| Ok(
                buffer.map_or(0, |buffer| buffer.len() / 10)
            ))
            .is_err()
        );
        assert!(array(&mut out, 10, |_| Ok(usize::MAX)).is_err());
        assert!(array(&mut out, 10, |buffer| buffer.map_or(Ok(1), |_| Err(no_room()))).is_err());
        assert!(out.is_empty());
    }
}
