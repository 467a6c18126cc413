//! The door: from bytes nobody trusts to a stored event.

pub mod head;
pub mod verify;
