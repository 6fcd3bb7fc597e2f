//! The hash of the `hashmod` action.

/// The last eight bytes of the MD5 of `value`, big endian, modulo `modulus`. The choice of bytes is Prometheus' and keeps
/// the answers of its first versions. A modulus of zero, which validation refuses, gives zero.
pub(crate) fn hashmod(value: &str, modulus: u64) -> u64 {
    let digest = u128::from_be_bytes(md5::compute(value).0);
    let last_half = u64::try_from(digest & u128::from(u64::MAX)).unwrap_or_default();
    last_half.checked_rem(modulus).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::hashmod;

    #[test]
    fn as_prometheus() {
        assert_eq!(hashmod("baz", 1000), 976);
        assert_eq!(hashmod("", 1000), 958);
        assert_eq!(hashmod("x", u64::MAX), 17_710_500_428_000_290_726);
        assert_eq!(hashmod("x", 0), 0);
    }
}
