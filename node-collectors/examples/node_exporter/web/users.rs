//! Basic authentication against bcrypt hashes.
//!
//! A hash is slow to compare by design, so the outcome of a comparison is remembered, under a digest of all that was
//! compared; one comparison runs at a time, so that wrong passwords take one processor at most.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

/// How many outcomes are remembered.
const REMEMBERED: usize = 100;

/// More than this of a password bcrypt does not look at, with the zero byte behind it.
const LONGEST: usize = 72;

/// What a hash's parts are written in.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The hash of a password: `$2a$`, `$2b$` or `$2y$`, the cost, `$`, the salt, the digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hash {
    cost: u32,
    salt: [u8; 16],
    digest: [u8; 23],
}

impl Hash {
    /// Compared with for names that are not there, so that they take as long as others.
    const NOBODY: Self = Self {
        cost: 10,
        salt: [7; 16],
        digest: [0; 23],
    };

    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        Self::read(text).ok_or("not a bcrypt hash ($2y$...)")
    }

    fn read(text: &str) -> Option<Self> {
        let rest = ["$2a$", "$2b$", "$2y$"]
            .iter()
            .find_map(|version| text.strip_prefix(version))?;
        let (cost, rest) = rest.split_once('$')?;
        let cost = cost.parse().ok().filter(|cost| (4..=31).contains(cost))?;
        let (salt, digest) = rest.split_at_checked(22)?;
        Some(Self {
            cost,
            salt: BASE64.decode(salt).ok()?.try_into().ok()?,
            digest: BASE64.decode(digest).ok()?.try_into().ok()?,
        })
    }

    /// Whether it is the hash of `password`; takes long.
    fn is_of(&self, password: &[u8]) -> bool {
        let mut text = password.to_vec();
        text.push(0);
        text.truncate(LONGEST);
        let found = bcrypt::bcrypt(self.cost, self.salt, &text);
        let differences = found
            .iter()
            .zip(&self.digest)
            .fold(0, |sum, (a, b)| sum | (a ^ b));
        differences == 0
    }
}

/// Outcomes of comparisons.
#[derive(Default)]
pub(super) struct Outcomes {
    known: Mutex<HashMap<[u8; 32], bool>>,
    comparing: Mutex<()>,
}

impl Outcomes {
    /// Whether the value of an `Authorization` header names one of `users` with the right password. May take long.
    pub(super) fn allow(&self, users: &[(String, Hash)], header: Option<&[u8]>) -> bool {
        let Some((name, password)) = header.and_then(credentials) else {
            return false;
        };
        let user = users.iter().find(|(known, _)| known.as_bytes() == name);
        let hash = user.map_or(&Hash::NOBODY, |(_, hash)| hash);
        let mut digest = Sha256::new();
        for part in [
            &*name,
            &hash.salt,
            &hash.digest,
            &hash.cost.to_be_bytes(),
            &*password,
        ] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let key: [u8; 32] = digest.finalize().into();
        let outcome = |known: &HashMap<_, _>| known.get(&key).copied();
        let remembered = outcome(&self.known.lock().unwrap_or_else(PoisonError::into_inner));
        let matches = remembered.unwrap_or_else(|| {
            let _one_at_a_time = self.comparing.lock().unwrap_or_else(PoisonError::into_inner);
            let meanwhile = outcome(&self.known.lock().unwrap_or_else(PoisonError::into_inner));
            meanwhile.unwrap_or_else(|| {
                let matches = hash.is_of(&password);
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                if known.len() >= REMEMBERED {
                    // Wrong ones go first: whoever tries them does not make others wait.
                    known.retain(|_, right| *right);
                    if known.len() >= REMEMBERED {
                        known.clear();
                    }
                }
                known.insert(key, matches);
                matches
            })
        });
        matches && user.is_some()
    }
}

/// Name and password of `Basic BASE64` (RFC 7617).
fn credentials(header: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, rest) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let mut name = BASE64_STANDARD.decode(rest.trim_ascii()).ok()?;
    let colon = name.iter().position(|byte| *byte == b':')?;
    let password = name.split_off(colon + 1);
    name.pop();
    Some((name, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash_of(password: &[u8]) -> String {
        let mut text = password.to_vec();
        text.push(0);
        let salt = *b"0123456789abcdef";
        let digest = bcrypt::bcrypt(4, salt, &text);
        format!("$2y$04${}{}", BASE64.encode(salt), BASE64.encode(&digest[..23])).replace('=', "")
    }

    #[test]
    fn passwords() {
        let text = hash_of(b"p:w");
        let users = [("alice".to_owned(), Hash::parse(&text).unwrap())];
        let outcomes = Outcomes::default();
        let header =
            |credentials: &str| format!("Basic {}", BASE64_STANDARD.encode(credentials)).into_bytes();
        for _ in 0..2 {
            assert!(outcomes.allow(&users, Some(&header("alice:p:w"))));
            for wrong in ["alice:p:x", "alice:", "bob:p:w", ":", "alice"] {
                assert!(!outcomes.allow(&users, Some(&header(wrong))), "{wrong}");
            }
        }
        assert!(!outcomes.allow(&users, None));
        assert!(!outcomes.allow(&users, Some(b"Basic !")));
        assert!(!outcomes.allow(&users, Some(b"Bear")));
        let long = "x".repeat(10_000);
        assert!(!outcomes.allow(&users, Some(&header(&format!("alice:{long}")))));
        for number in 0..REMEMBERED {
            outcomes.allow(&users, Some(&header(&format!("alice:{number}"))));
        }
        let known = outcomes.known.lock().unwrap();
        assert!(known.len() <= REMEMBERED);
        assert!(known.values().any(|right| *right));
    }

    #[test]
    fn hashes() {
        // Of "U*U", from the test vectors of the first implementation.
        let hash = Hash::parse("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").unwrap();
        assert!(hash.is_of(b"U*U"));
        assert!(!hash.is_of(b"U*V"));
        for bad in [
            "",
            "secret",
            "$2y$10$short",
            "$1$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2a$32$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.ä5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        ] {
            assert!(Hash::parse(bad).is_err(), "{bad}");
        }
    }
}
