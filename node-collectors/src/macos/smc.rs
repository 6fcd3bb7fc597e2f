//! The protocol of the system management controller: keys of four characters, each with a type and up to 32 bytes.
//!
//! No public header has it; the structure is that of Apple's PowerManagement sources (SMCParamStruct in pmset).

use std::mem::offset_of;

use crate::error::Error;
use crate::macos::bytes::u32_at;
use crate::macos::devices::{SMC_SIZE, Smc};

/// `SMCParamStruct`.
pub(crate) mod param {
    pub(crate) const KEY: usize = 0;
    pub(crate) const DATA_SIZE: usize = 28;
    pub(crate) const DATA_TYPE: usize = 32;
    pub(crate) const RESULT: usize = 40;
    pub(crate) const COMMAND: usize = 42;
    pub(crate) const BYTES: usize = 48;
}

// The offsets as a compiler finds them.
#[allow(dead_code, reason = "only where the fields are is of interest")]
const _: () = {
    #[repr(C)]
    struct Version {
        major: u8,
        minor: u8,
        build: u8,
        reserved: u8,
        release: u16,
    }
    #[repr(C)]
    struct Limits {
        version: u16,
        length: u16,
        cpu: u32,
        gpu: u32,
        memory: u32,
    }
    #[repr(C)]
    struct KeyInfo {
        size: u32,
        kind: u32,
        attributes: u8,
    }
    #[repr(C)]
    struct Param {
        key: u32,
        version: Version,
        limits: Limits,
        info: KeyInfo,
        result: u8,
        status: u8,
        command: u8,
        number: u32,
        bytes: [u8; 32],
    }
    assert!(offset_of!(Param, key) == param::KEY);
    assert!(offset_of!(Param, info.size) == param::DATA_SIZE);
    assert!(offset_of!(Param, info.kind) == param::DATA_TYPE);
    assert!(offset_of!(Param, result) == param::RESULT);
    assert!(offset_of!(Param, command) == param::COMMAND);
    assert!(offset_of!(Param, bytes) == param::BYTES);
    assert!(size_of::<Param>() == SMC_SIZE);
};

/// `kSMCReadKey`.
const READ: u8 = 5;
/// `kSMCGetKeyInfo`.
const INFO: u8 = 9;

/// The number under `key`; `None` if there is no such key, it is no number, or there is no controller.
pub(crate) fn number(smc: &impl Smc, key: [u8; 4]) -> Result<Option<f64>, Error> {
    let Some(info) = exchange(smc, key, 0, INFO)? else {
        return Ok(None);
    };
    let (Some(size), Some(kind)) = (u32_at(&info, param::DATA_SIZE), u32_at(&info, param::DATA_TYPE)) else {
        return Ok(None);
    };
    let Some(answer) = exchange(smc, key, size, READ)? else {
        return Ok(None);
    };
    let bytes = answer.get(param::BYTES..).unwrap_or_default();
    Ok(usize::try_from(size)
        .ok()
        .and_then(|size| value(kind.to_be_bytes(), bytes.get(..size)?)))
}

/// `None` if the controller refuses or is absent.
fn exchange(smc: &impl Smc, key: [u8; 4], size: u32, command: u8) -> Result<Option<[u8; SMC_SIZE]>, Error> {
    let mut request = [0; SMC_SIZE];
    let key = u32::from_be_bytes(key).to_le_bytes();
    request[param::KEY..param::KEY + 4].copy_from_slice(&key);
    request[param::DATA_SIZE..param::DATA_SIZE + 4].copy_from_slice(&size.to_le_bytes());
    request[param::COMMAND] = command;
    let answer = smc.exchange(&request);
    let answer = answer.map_err(|error| Error::system("IOConnectCallStructMethod of AppleSMC", error))?;
    Ok(answer.filter(|answer| answer[param::RESULT] == 0))
}

/// A value of a type by its name. Integers and fixed-point numbers are big-endian, `flt ` is not.
fn value(kind: [u8; 4], bytes: &[u8]) -> Option<f64> {
    match &kind {
        b"flt " => {
            let value = f32::from_le_bytes(bytes.try_into().ok()?);
            value.is_finite().then(|| f64::from(value))
        }
        b"ui8 " => Some(f64::from(*bytes.first()?)),
        b"ui16" => Some(f64::from(u16::from_be_bytes(bytes.try_into().ok()?))),
        b"ui32" => Some(f64::from(u32::from_be_bytes(bytes.try_into().ok()?))),
        [b'f', b'p', _, fraction] => {
            let value = u16::from_be_bytes(bytes.try_into().ok()?);
            scaled(f64::from(value), *fraction)
        }
        [b's', b'p', _, fraction] => {
            let value = i16::from_be_bytes(bytes.try_into().ok()?);
            scaled(f64::from(value), *fraction)
        }
        _ => None,
    }
}

/// `value` with as many bits behind the point as the hexadecimal digit `fraction` says.
fn scaled(value: f64, fraction: u8) -> Option<f64> {
    let bits = char::from(fraction).to_digit(16)?;
    Some(value / f64::from(1_u32 << bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::recorded::Recorded;

    #[test]
    fn types() {
        assert_eq!(value(*b"flt ", &1234.5_f32.to_le_bytes()), Some(1234.5));
        assert_eq!(value(*b"flt ", &f32::NAN.to_le_bytes()), None);
        assert_eq!(value(*b"ui8 ", &[2]), Some(2.0));
        assert_eq!(value(*b"ui16", &[1, 0]), Some(256.0));
        assert_eq!(value(*b"ui32", &[0, 1, 0, 0]), Some(65536.0));
        assert_eq!(value(*b"fpe2", &[0x12, 0xc0]), Some(1200.0));
        assert_eq!(value(*b"sp78", &[0x2d, 0x80]), Some(45.5));
        assert_eq!(value(*b"sp78", &[0xff, 0x00]), Some(-1.0));
        for (kind, bytes) in [
            (b"flt ", &[0; 3][..]),
            (b"ui8 ", &[]),
            (b"fpe2", &[0]),
            (b"fpez", &[0, 0]),
            (b"ch8*", &[65]),
            (b"\0\0\0\0", &[]),
        ] {
            assert_eq!(value(*kind, bytes), None, "{kind:?}");
        }
    }

    #[test]
    fn a_key_is_asked_for_its_type_then_for_its_value() {
        let mac = Recorded::default();
        mac.smc(*b"FNum", *b"ui8 ", &[2]);
        assert_eq!(number(&mac, *b"FNum").unwrap(), Some(2.0));
        assert_eq!(number(&mac, *b"F0Ac").unwrap(), None);
        mac.smc(*b"long", *b"ui8 ", &[0; 33]);
        assert_eq!(number(&mac, *b"long").unwrap(), None);
        assert_eq!(number(&Recorded::default(), *b"FNum").unwrap(), None);
    }
}
