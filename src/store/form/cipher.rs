//! Encryption at rest: what can be read of people is sealed with AES-256-GCM before it is written.
//!
//! The key file holds a key a line. The first one seals, all of them open: a new key is put first, the old ones stay
//! until `store rekey` has sealed everything with the new one. What is sealed is bound to its kind and row, so that
//! nothing can be put in the place of something else.
//!
//! Sealed bytes: a mark, the key's id (8 bytes), a random nonce (12 bytes), the ciphertext, the tag (16 bytes). Text
//! is sealed the same way and written in base64 after the mark.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

use crate::store::Error;

/// What sealed bytes and texts begin with: no JSON and no words of an API do.
const MARK: u8 = 1;

const ID_LEN: usize = 8;
const KEY_LEN: usize = 32;

type KeyId = [u8; ID_LEN];

struct Key {
    id: KeyId,
    key: LessSafeKey,
}

/// The keys of a key file, the one that seals first.
struct Ring(Vec<Key>);

/// The keys that seal and open; none where nothing is encrypted.
pub(in crate::store) struct Cipher {
    file: Option<PathBuf>,
    ring: RwLock<Arc<Ring>>,
    unopened: AtomicU64,
}

/// Why bytes that are sealed cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Sealed {
    /// With a key that is not there.
    Foreign,
    /// They, their kind or their row are not what was sealed.
    Damaged,
}

impl Cipher {
    /// Reads the key file, if there is one.
    pub(in crate::store) fn read(file: Option<&Path>) -> Result<Arc<Self>, Error> {
        let ring = match file {
            Some(file) => Ring::read(file)?,
            None => Ring(Vec::new()),
        };
        Ok(Arc::new(Self::of(file, ring)))
    }

    fn of(file: Option<&Path>, ring: Ring) -> Self {
        let ring = RwLock::new(Arc::new(ring));
        Self { file: file.map(Path::to_owned), ring, unopened: AtomicU64::new(0) }
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether what is written is sealed.
    pub(in crate::store) fn seals(&self) -> bool {
        !self.ring().0.is_empty()
    }

    /// Whether the keys stand in a file.
    pub(in crate::store) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// The id of the key that seals, in hex.
    pub(in crate::store) fn current(&self) -> Option<String> {
        self.ring().0.first().map(|key| hex::encode(key.id))
    }

    /// Which of these ids, in hex, have no key here.
    pub(in crate::store) fn missing<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Vec<String> {
        let ring = self.ring();
        let known = |id: &&str| ring.0.iter().any(|key| hex::encode(key.id) == **id);
        ids.filter(|id| !known(id)).map(str::to_owned).collect()
    }

    /// Finds whether all of these ids, in hex, have a key here.
    pub(in crate::store) fn check<'a>(
        &self,
        ids: impl Iterator<Item = &'a str>,
    ) -> Result<(), Error> {
        let missing = self.missing(ids);
        if missing.is_empty() {
            return Ok(());
        }
        let ids = missing.join("`, `");
        Err(Error::Failed(if self.seals() {
            format!(
                "it is encrypted with the key `{ids}`, which `store.encryption_key_file` does not hold: put that key back into the file, the new one before it"
            )
        } else {
            format!(
                "it is encrypted with the key `{ids}`: name the file that holds it in `store.encryption_key_file`"
            )
        }))
    }

    /// Reads the key file again; the new keys, where they are others, are in force with [`Self::take`].
    pub(in crate::store) fn changed(&self) -> Result<Option<Arc<Self>>, Error> {
        let Some(file) = &self.file else { return Ok(None) };
        let ring = Ring::read(file)?;
        let same = |ring: &Ring| ring.0.iter().map(|key| key.id).collect::<Vec<_>>();
        if same(&ring) == same(&self.ring()) {
            return Ok(None);
        }
        Ok(Some(Arc::new(Self::of(Some(file), ring))))
    }

    /// Puts the keys of another in force.
    pub(in crate::store) fn take(&self, other: &Self) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = other.ring();
    }

    /// Notes that something that was to be sealed anew could not be opened.
    pub(in crate::store) fn note_unopened(&self) {
        self.unopened.fetch_add(1, Ordering::Relaxed);
    }

    /// How much could not be opened.
    pub(in crate::store) fn unopened(&self) -> u64 {
        self.unopened.load(Ordering::Relaxed)
    }

    /// Seals bytes with the first key; nothing where there is none.
    pub(in crate::store) fn seal(
        &self,
        aad: &[u8],
        plain: &[u8],
    ) -> Result<Option<Vec<u8>>, Unsealable> {
        let ring = self.ring();
        let Some(key) = ring.0.first() else { return Ok(None) };
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| Unsealable)?;
        let mut sealed =
            Vec::with_capacity(1 + ID_LEN + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.push(MARK);
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(&nonce);
        let body = sealed.len();
        sealed.extend_from_slice(plain);
        let (_, text) = sealed.split_at_mut(body);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(aad), text)
            .map_err(|_| Unsealable)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(Some(sealed))
    }

    /// Opens what is sealed; nothing where it is not.
    pub(in crate::store) fn open(
        &self,
        aad: &[u8],
        bytes: &[u8],
    ) -> Result<Option<Vec<u8>>, Sealed> {
        let Some(rest) = bytes.strip_prefix(&[MARK]) else { return Ok(None) };
        let (id, rest) = rest.split_first_chunk::<ID_LEN>().ok_or(Sealed::Damaged)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Sealed::Damaged)?;
        let ring = self.ring();
        let key = ring.0.iter().find(|key| key.id == *id).ok_or(Sealed::Foreign)?;
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = key.key.open_in_place(nonce, Aad::from(aad), &mut text);
        let length = opened.map_err(|_| Sealed::Damaged)?.len();
        text.truncate(length);
        Ok(Some(text))
    }

    /// Whether these bytes are sealed with the first key.
    pub(in crate::store) fn is_current(&self, bytes: &[u8]) -> bool {
        let ring = self.ring();
        let id = bytes.strip_prefix(&[MARK]).and_then(<[u8]>::first_chunk::<ID_LEN>);
        ring.0.first().is_some_and(|key| Some(&key.id) == id)
    }
}

/// Sealed bytes as a text.
pub(in crate::store) fn to_text(sealed: &[u8]) -> String {
    let sealed = sealed.strip_prefix(&[MARK]).unwrap_or(sealed);
    format!("{}{}", char::from(MARK), STANDARD_NO_PAD.encode(sealed))
}

/// The sealed bytes of a text; nothing where it is none of those.
pub(in crate::store) fn from_text(text: &str) -> Option<Vec<u8>> {
    let mut sealed = vec![MARK];
    STANDARD_NO_PAD.decode_vec(text.strip_prefix(char::from(MARK))?, &mut sealed).ok()?;
    Some(sealed)
}

/// Whether bytes are sealed.
pub(in crate::store) fn is_sealed(bytes: &[u8]) -> bool {
    bytes.first() == Some(&MARK)
}

/// There were no random bytes, or more was to be sealed than can be.
#[derive(Debug, thiserror::Error)]
#[error("what is to be stored could not be encrypted")]
pub(in crate::store) struct Unsealable;

impl Ring {
    fn read(file: &Path) -> Result<Self, Error> {
        let wrong = |why: String| {
            Error::Failed(format!("`store.encryption_key_file`: `{}` {why}", file.display()))
        };
        let text = std::fs::read_to_string(file)
            .map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let mut keys = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = key(line).ok_or_else(|| {
                wrong(format!(
                    "has no key in line {number}: a key is 32 random bytes in hex or base64, such as `openssl rand -hex 32` gives"
                ))
            })?;
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(wrong("has no key: `openssl rand -hex 32` makes one".to_owned()));
        }
        Ok(Self(keys))
    }
}

fn key(line: &str) -> Option<Key> {
    let bytes = hex::decode(line).or_else(|_| STANDARD.decode(line)).ok()?;
    if bytes.len() != KEY_LEN {
        return None;
    }
    let mut id = [0; ID_LEN];
    let hash = Sha256::new_with_prefix(b"chatflow-bridge key id").chain_update(&bytes).finalize();
    id.copy_from_slice(hash.get(..ID_LEN)?);
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).ok()?);
    Some(Key { id, key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cipher(keys: &[[u8; 32]]) -> Cipher {
        let ring = keys.iter().map(|bytes| key(&hex::encode(bytes)).unwrap()).collect();
        Cipher::of(None, Ring(ring))
    }

    proptest! {
        #[test]
        fn what_was_sealed_comes_back_for_its_own_row_only(plain: Vec<u8>, row: [u8; 9]) {
            let (old, both) = (cipher(&[[1; 32]]), cipher(&[[2; 32], [1; 32]]));
            let sealed = old.seal(&row, &plain).unwrap().unwrap();
            let mut other = row;
            other[0] ^= 1;

            prop_assert_eq!(old.open(&row, &sealed), Ok(Some(plain.clone())));
            prop_assert_eq!(both.open(&row, &sealed), Ok(Some(plain.clone())));
            prop_assert_eq!(both.open(&other, &sealed), Err(Sealed::Damaged));
            prop_assert_eq!(cipher(&[[2; 32]]).open(&row, &sealed), Err(Sealed::Foreign));
            prop_assert_eq!(from_text(&to_text(&sealed)), Some(sealed.clone()));
            prop_assert!(old.is_current(&sealed) && !both.is_current(&sealed));
            let mut changed = sealed;
            *changed.last_mut().unwrap() ^= 1;
            prop_assert_eq!(old.open(&row, &changed), Err(Sealed::Damaged));
        }
    }

    #[test]
    fn without_a_key_nothing_is_sealed() {
        let none = cipher(&[]);

        assert_eq!(none.seal(b"row", b"{}").unwrap(), None);
        assert_eq!(none.open(b"row", b"{}"), Ok(None));
        assert_eq!(none.open(b"row", &[MARK]), Err(Sealed::Damaged));
    }

    #[test]
    fn a_key_file_is_read_or_says_what_is_wrong_and_never_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        let (hex, base64) = (hex::encode([3; 32]), STANDARD.encode([4; 32]));
        let cut = hex::encode([3; 31]);
        for (text, expected) in [
            (format!("# the new one\n{hex}\n\n{base64}\n"), Ok(2)),
            (String::new(), Err("has no key: ")),
            ("# none\n".to_owned(), Err("has no key: ")),
            (format!("{hex}\n{cut}"), Err("no key in line 2")),
            ("a passphrase".to_owned(), Err("no key in line 1")),
        ] {
            std::fs::write(&file, &text).unwrap();
            let read = Cipher::read(Some(&file));
            match (read, expected) {
                (Ok(read), Ok(count)) => assert_eq!(read.ring().0.len(), count),
                (Err(error), Err(why)) => {
                    let error = error.to_string();
                    assert!(error.contains(why) && !error.contains(&cut), "{error}");
                }
                (read, _) => panic!("{text}: {:?}", read.map(|read| read.current())),
            }
        }
        let gone = Cipher::read(Some(&folder.path().join("none")));
        assert!(gone.err().unwrap().to_string().contains("cannot be read"));
    }
}
