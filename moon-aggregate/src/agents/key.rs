//! Pseudonyms that only the holder of a key can make.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use moon_core::{Error, Result};
use sha2::Sha256;

/// What is hashed before the code of an agent.
const PSEUDONYM_DOMAIN: &[u8] = b"moon/agent-pseudonym/v1\0";
/// What is hashed for the fingerprint of a key. No two domains are alike up to their first NUL, so no input of one is an
/// input of another.
const FINGERPRINT_DOMAIN: &[u8] = b"moon/pseudonym-key-fingerprint/v1\0";
/// How many hexadecimal digits tell keys apart.
const FINGERPRINT_DIGITS: usize = 16;

/// The secret that turns codes of agents into pseudonyms. It is kept outside of the databases; whoever has it can tell
/// which pseudonym is whose. `Debug` does not show it. Cheap to clone.
///
/// The pseudonym of an agent is HMAC-SHA-256 under this key, in 64 lower-case hexadecimal digits, of the bytes
/// `moon/agent-pseudonym/v1`, NUL, and the code in UTF-8. What else is ever made with the key begins with other bytes up to
/// the first NUL. Ledgers that share a key give an agent of the same code the same pseudonym: give each its own, unless
/// that is wanted.
#[derive(Clone, PartialEq, Eq)]
pub struct PseudonymKey(Arc<[u8]>);

impl PseudonymKey {
    /// The least length in bytes.
    pub const BYTES_MIN: usize = 32;

    /// A key of these bytes, which should be random.
    ///
    /// # Errors
    /// `InvalidInput` when there are fewer than [`BYTES_MIN`](Self::BYTES_MIN).
    pub fn new(bytes: &[u8]) -> Result<Self> {
        if bytes.len() < Self::BYTES_MIN {
            return Err(Error::invalid("pseudonym key is too short")
                .with("bytes", bytes.len())
                .with("bytes_min", Self::BYTES_MIN));
        }
        Ok(Self(bytes.into()))
    }

    /// The pseudonym of the agent of a code.
    ///
    /// # Errors
    /// None in practice: any length makes a key.
    pub fn pseudonym(&self, agent_code: &str) -> Result<String> {
        self.hash(PSEUDONYM_DOMAIN, agent_code.as_bytes())
    }

    /// Tells keys apart, and nothing about them.
    pub(crate) fn fingerprint(&self) -> Result<String> {
        let mut digits = self.hash(FINGERPRINT_DOMAIN, &[])?;
        digits.truncate(FINGERPRINT_DIGITS);
        Ok(digits)
    }

    fn hash(&self, domain: &[u8], text: &[u8]) -> Result<String> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&self.0)
            .map_err(|cause| Error::invalid("pseudonym key cannot be used").caused_by(cause))?;
        hmac.update(domain);
        hmac.update(text);
        let mut digits = String::new();
        for byte in hmac.finalize().into_bytes() {
            // Writing to a text cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        Ok(digits)
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(withheld)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"0123456789abcdef0123456789ABCDEF";

    #[test]
    fn a_pseudonym_is_the_documented_hash() {
        let key = PseudonymKey::new(KEY).unwrap();
        // printf 'moon/agent-pseudonym/v1\0AGT001' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789ABCDEF
        assert_eq!(
            key.pseudonym("AGT001").unwrap(),
            "78c77141f0f018f690743d5c4693fa1760cfcbe910a91c4c7c9189212b82731b"
        );
        // printf 'moon/pseudonym-key-fingerprint/v1\0' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789ABCDEF
        assert_eq!(key.fingerprint().unwrap(), "5a1d65f357cd81fc");
    }

    #[test]
    fn another_key_or_code_gives_another_pseudonym() {
        let (key, other) = (PseudonymKey::new(KEY).unwrap(), PseudonymKey::new(&[7; 33]).unwrap());
        assert_ne!(key.pseudonym("AGT001").unwrap(), key.pseudonym("AGT002").unwrap());
        assert_ne!(key.pseudonym("AGT001").unwrap(), other.pseudonym("AGT001").unwrap());
        assert_ne!(key.fingerprint().unwrap(), other.fingerprint().unwrap());
    }

    #[test]
    fn a_short_key_is_refused_and_no_key_shows_anywhere() {
        let error = PseudonymKey::new(&KEY[1..]).unwrap_err();
        for shown in [format!("{error} {error:?}"), format!("{:?}", PseudonymKey::new(KEY).unwrap())] {
            assert!(!shown.contains("abcdef") && !shown.contains("ABCDEF"), "{shown}");
        }
    }
}
