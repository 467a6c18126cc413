//! What is kept of people, sealed on its way into the tables and opened on its way out.

use crate::store::Error;
use crate::store::form::cipher::{Cipher, is_sealed};

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
