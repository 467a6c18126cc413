//! Keyed hashes, so that no number of a person can be read or guessed from the store's indexes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::contact::Who;
use crate::event::SourceName;

/// By what an event is known when it comes again.
pub(in crate::store) type EventKey = [u8; 16];

/// The hashes of one store; the same in every copy of it.
#[derive(Clone)]
pub(in crate::store) struct Keys {
    keyed: Hmac<Sha256>,
}

impl Keys {
    pub(in crate::store) fn new(key: &[u8; 32]) -> Self {
        // A key shorter than a block counts as one filled up with zeros (RFC 2104).
        let mut block = [0; 64];
        block[..32].copy_from_slice(key);
        Self { keyed: Hmac::new(&block.into()) }
    }

    /// The line in which this contact's updates wait: 63 bits. Two contacts that share it only wait for each other.
    pub(in crate::store) fn lane(&self, who: &Who) -> i64 {
        self.number(&[who.key().as_bytes()])
    }

    /// The key of an event, from its source and the id its sender gives it.
    pub(in crate::store) fn event(&self, source: &SourceName, id: &str) -> EventKey {
        let hash = self.hash(&[source.as_str().as_bytes(), &[0], id.as_bytes()]);
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        key
    }

    /// 63 bits that differ when the parts do.
    pub(in crate::store) fn number(&self, parts: &[&[u8]]) -> i64 {
        let hash = self.hash(parts);
        let mut number = [0; 8];
        number.copy_from_slice(&hash[..8]);
        (u64::from_be_bytes(number) >> 1).cast_signed()
    }

    fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut keyed = self.keyed.clone();
        for part in parts {
            keyed.update(part);
        }
        keyed.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::Mobile;

    #[test]
    fn hashes_are_the_same_in_every_copy_and_release() {
        let keys = Keys::new(&[7; 32]);
        let who = Who::Mobile(Mobile::try_from("12025550143".to_owned()).unwrap());
        let source = SourceName::try_from("crm").unwrap();

        let lane = keys.lane(&who);
        let event = keys.event(&source, "evt_1");

        // `printf %s 'mobile:12025550143' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…07`, first 63 bits
        assert_eq!(lane, 0xde9d_7917_15bd_e763_u64.wrapping_shr(1).cast_signed());
        // `printf 'crm\0evt_1' | openssl dgst …`, first 16 bytes
        assert_eq!(hex::encode(event), "5eba19c33f8c4901e3854651213c710d");
    }
}
