//! The cipher in SQL, so that what is sealed, and for which row, stands in the statements.
//!
//! `seal(kind, row, value)` gives bytes or a text sealed, where there is a key; `unseal(kind, row, value)` gives them
//! opened, and what is not sealed as it is. What cannot be opened comes as it is too: whoever reads it says so;
//! `opened(kind, row, value)` gives nothing for it instead.
//! `sealed()` is the bit that a request's `encoding` has where its body is sealed. `reseal(kind, row, value)` gives
//! what is sealed with another key, or not at all, sealed with the first key; `is_stale(value)` says whether it would.

use std::sync::Arc;

use crate::store::form::cipher::{Cipher, Sealed, from_text, is_sealed, to_text};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

/// The bit of a request's `encoding`: the body is sealed. Its first byte does not tell, since it is the sender's.
pub(super) const SEALED: i64 = 16;

/// The place of the value among the arguments.
const VALUE: usize = 2;

/// Gives a connection these functions.
pub(super) fn teach(connection: &Connection, cipher: &Arc<Cipher>) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    let with = |what: fn(&Cipher, &Context<'_>) -> rusqlite::Result<ToSqlOutput<'static>>| {
        let cipher = Arc::clone(cipher);
        move |context: &mut Context<'_>| what(&cipher, context)
    };
    connection.create_scalar_function("seal", 3, flags, with(seal))?;
    connection.create_scalar_function("unseal", 3, flags, with(unseal))?;
    connection.create_scalar_function("opened", 3, flags, with(opened))?;
    connection.create_scalar_function("reseal", 3, flags, with(reseal))?;
    connection.create_scalar_function("is_stale", 1, flags, with(is_stale))?;
    let cipher = Arc::clone(cipher);
    connection.create_scalar_function("sealed", 0, flags, move |_| {
        Ok(if cipher.seals() { SEALED } else { 0 })
    })
}

fn seal(cipher: &Cipher, context: &Context<'_>) -> rusqlite::Result<ToSqlOutput<'static>> {
    if !cipher.seals() {
        return Ok(ToSqlOutput::Arg(VALUE));
    }
    let aad = aad(context)?;
    let user = |error| rusqlite::Error::UserFunctionError(Box::new(error));
    Ok(match context.get_raw(VALUE) {
        ValueRef::Blob(plain) => cipher.seal(&aad, plain).map_err(user)?.map(Value::Blob),
        ValueRef::Text(plain) => {
            cipher.seal(&aad, plain).map_err(user)?.map(|sealed| Value::Text(to_text(&sealed)))
        }
        _ => None,
    }
    .map_or(ToSqlOutput::Arg(VALUE), ToSqlOutput::Owned))
}

fn unseal(cipher: &Cipher, context: &Context<'_>) -> rusqlite::Result<ToSqlOutput<'static>> {
    let opened = open(cipher, context)?.ok().flatten();
    Ok(opened.map_or(ToSqlOutput::Arg(VALUE), ToSqlOutput::Owned))
}

fn opened(cipher: &Cipher, context: &Context<'_>) -> rusqlite::Result<ToSqlOutput<'static>> {
    Ok(match open(cipher, context)? {
        Ok(opened) => opened.map_or(ToSqlOutput::Arg(VALUE), ToSqlOutput::Owned),
        Err(_) => ToSqlOutput::Owned(Value::Null),
    })
}

fn reseal(cipher: &Cipher, context: &Context<'_>) -> rusqlite::Result<ToSqlOutput<'static>> {
    if is_current(cipher, context.get_raw(VALUE)) || !cipher.seals() {
        return Ok(ToSqlOutput::Arg(VALUE));
    }
    let aad = aad(context)?;
    let user = |error| rusqlite::Error::UserFunctionError(Box::new(error));
    let sealed = match open(cipher, context)? {
        Err(_) => {
            cipher.note_unopened();
            None
        }
        Ok(None) => return seal(cipher, context),
        Ok(Some(Value::Blob(plain))) => cipher.seal(&aad, &plain).map_err(user)?.map(Value::Blob),
        Ok(Some(Value::Text(plain))) => cipher
            .seal(&aad, plain.as_bytes())
            .map_err(user)?
            .map(|sealed| Value::Text(to_text(&sealed))),
        Ok(Some(_)) => None,
    };
    Ok(sealed.map_or(ToSqlOutput::Arg(VALUE), ToSqlOutput::Owned))
}

#[expect(clippy::unnecessary_wraps, reason = "one of the functions that SQLite is given")]
fn is_stale(cipher: &Cipher, context: &Context<'_>) -> rusqlite::Result<ToSqlOutput<'static>> {
    let stale = !is_current(cipher, context.get_raw(0));
    Ok(ToSqlOutput::Owned(Value::Integer(i64::from(stale))))
}

/// Whether a value is sealed with the first key; what is nothing is not to be sealed.
fn is_current(cipher: &Cipher, value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Blob(bytes) => cipher.is_current(bytes),
        ValueRef::Text(text) => sealed_text(text).is_some_and(|bytes| cipher.is_current(&bytes)),
        _ => true,
    }
}

/// The value opened; nothing where it is not sealed.
fn open(cipher: &Cipher, context: &Context<'_>) -> rusqlite::Result<Result<Option<Value>, Sealed>> {
    Ok(match context.get_raw(VALUE) {
        ValueRef::Blob(bytes) if is_sealed(bytes) => {
            cipher.open(&aad(context)?, bytes).map(|opened| opened.map(Value::Blob))
        }
        ValueRef::Text(text) => match sealed_text(text) {
            Some(bytes) => cipher.open(&aad(context)?, &bytes).and_then(|opened| {
                let text = opened.map(String::from_utf8).transpose();
                Ok(text.map_err(|_| Sealed::Damaged)?.map(Value::Text))
            }),
            None => Ok(None),
        },
        _ => Ok(None),
    })
}

fn sealed_text(text: &[u8]) -> Option<Vec<u8>> {
    if !is_sealed(text) {
        return None;
    }
    std::str::from_utf8(text).ok().and_then(from_text)
}

/// What binds a sealed value to its place: its kind and its row.
fn aad(context: &Context<'_>) -> rusqlite::Result<Vec<u8>> {
    let mut aad = context.get_raw(0).as_bytes()?.to_vec();
    aad.push(0);
    match context.get_raw(1) {
        ValueRef::Integer(row) => aad.extend_from_slice(&row.to_be_bytes()),
        row => aad.extend_from_slice(row.as_bytes()?),
    }
    Ok(aad)
}
