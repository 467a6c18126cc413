//! The door: from bytes nobody trusts to a stored event and the answer.
//!
//! [`route`] takes HTTP apart and puts it together, [`Intake`] is what happens in between: route, method,
//! what can be checked without the body, body, inflate, signature, decode, map, store, answer. [`Doors`] are the sources
//! in force, [`verify`] says whether a request is from whom it should be, [`Handshake`] what its sender asks before
//! it sends events, [`Refusal`] why it was turned away. Below HTTP, [`Guests`] and [`Gate`] bound the connections.
//!
//! # Promises
//!
//! - 2xx is answered once the event is stored, never before.
//! - What cannot be verified is never taken; the sender is not told what was wrong.
//! - Of credentials and signatures nothing is kept (but where `server.keep_rejected` asks for it, in memory and for a
//!   while), and nothing of a request is logged.
//! - Bodies are bounded in size, in time and in the memory they take up together.

mod address;
mod again;
mod answer;
mod body;
mod document;
mod doors;
mod drain;
mod explained;
mod handshake;
pub mod head;
mod intake;
mod line;
mod meters;
mod pace;
mod planned;
mod refusal;
mod refused_log;
mod rejected;
mod remap;
mod respond;
pub mod route;
mod schema;
mod settings;
mod strangers;
#[cfg(test)]
mod tests;
pub mod verify;
mod visit;

pub use address::{InvalidNetwork, Network};
pub use again::{NotMapped, map_again};
pub use answer::{Answer, EventAnswer, Status};
pub use document::decode_for;
pub use doors::{Doors, Flaw, NotReady, verify_of};
pub use handshake::{Handshake, Reply};
pub use intake::Intake;
pub use line::{End, Gate, Guests};
pub use refusal::Refusal;
pub use rejected::{Rejected, RejectedList};
pub use respond::{Respond, check_door};
pub use schema::mapping_schema;
pub use settings::{BodyLimit, IntakeSettings, InvalidPublicUrl, PublicUrl};
