//! The forms in which a store keeps things, whatever it keeps them in: hashed, written out, compressed, sealed, numbered.
//!
//! Nothing here asks a database or a clock. What is to be stored is made ready by who asks for it (`prepared`,
//! `changes`), before a store's own threads or connections see it.

pub(in crate::store) mod ages;
pub(in crate::store) mod audit;
pub(in crate::store) mod changes;
pub(in crate::store) mod cipher;
pub(in crate::store) mod cursor;
pub(in crate::store) mod kept;
pub(in crate::store) mod keys;
pub(in crate::store) mod ledger;
pub(in crate::store) mod lending;
pub(in crate::store) mod prepared;
pub(in crate::store) mod row;
pub(in crate::store) mod search;
pub(in crate::store) mod state;
