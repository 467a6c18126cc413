//! What is kept of people, sealed on its way into the tables and opened on its way out.

use crate::store::Error;
use crate::store::form::cipher::{Cipher, is_sealed};
use crate::store::form::kept::UNREADABLE;

/// The bit of a request's `encoding`: the body is sealed. Its first byte does not tell, since it is the sender's.
pub(super) const SEALED: i16 = 16;

/// Bytes as they are kept: sealed where there is a key, and bound to their kind and row.
pub(super) fn sealed(
    cipher: &Cipher,
    kind: &str,
    row: i64,
    plain: Vec<u8>,
) -> Result<Vec<u8>, Error> {
    if !cipher.seals() {
        return Ok(plain);
    }
    let sealed = cipher.seal(&aad(kind, &row.to_be_bytes()), &plain);
    let sealed = sealed.map_err(|_| Error::Failed("a value could not be encrypted".to_owned()))?;
    Ok(sealed.unwrap_or(plain))
}

/// Bytes as they were before they were sealed; what cannot be opened comes as it is, and whoever reads it says so.
pub(super) fn unsealed(cipher: &Cipher, kind: &str, row: i64, kept: Vec<u8>) -> Vec<u8> {
    if !is_sealed(&kept) {
        return kept;
    }
    let opened = cipher.open(&aad(kind, &row.to_be_bytes()), &kept);
    opened.ok().flatten().unwrap_or(kept)
}

/// What binds a sealed value to its place: its kind and its row.
pub(super) fn aad(kind: &str, row: &[u8]) -> Vec<u8> {
    let mut aad = kind.as_bytes().to_vec();
    aad.push(0);
    aad.extend_from_slice(row);
    aad
}

/// The same; nothing where it cannot be opened.
pub(super) fn opened(cipher: &Cipher, kind: &str, row: i64, kept: Vec<u8>) -> Option<Vec<u8>> {
    bytes_opened(cipher, &aad(kind, &row.to_be_bytes()), kept)
}

/// A text that is kept of an update, or what is said where it cannot be opened.
pub(super) fn text(cipher: &Cipher, row: i64, kept: Vec<u8>) -> String {
    opened(cipher, "text", row, kept)
        .map_or_else(|| UNREADABLE.to_owned(), |text| String::from_utf8_lossy(&text).into_owned())
}

/// What is kept under a name, sealed where there is a key.
pub(super) fn named_sealed(
    cipher: &Cipher,
    kind: &str,
    name: &str,
    plain: Vec<u8>,
) -> Result<Vec<u8>, Error> {
    let sealed = cipher.seal(&aad(kind, name.as_bytes()), &plain);
    let sealed = sealed.map_err(|_| Error::Failed("a value could not be encrypted".to_owned()))?;
    Ok(sealed.unwrap_or(plain))
}

/// The same as it was before; nothing where it cannot be opened.
pub(super) fn named_opened(
    cipher: &Cipher,
    kind: &str,
    name: &str,
    kept: Vec<u8>,
) -> Option<Vec<u8>> {
    bytes_opened(cipher, &aad(kind, name.as_bytes()), kept)
}

fn bytes_opened(cipher: &Cipher, aad: &[u8], kept: Vec<u8>) -> Option<Vec<u8>> {
    match cipher.open(aad, &kept) {
        Ok(Some(opened)) => Some(opened),
        Ok(None) => Some(kept),
        Err(_) => None,
    }
}
