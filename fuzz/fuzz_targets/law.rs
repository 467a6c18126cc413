//! What holds for every document, whatever it was read from.

use chatflow_bridge::decode::{Limits, json};
use chatflow_bridge::document::Value;

/// It reads again as it is written, so no number, name or text was lost, and it is within the limits.
pub fn holds(document: &Value) {
    let limits = Limits::default();
    // What is repeated in XML gets a list around it that is counted with what is in it.
    let limits = Limits { levels: 2 * limits.levels, nodes: 2 * limits.nodes, ..limits };
    let written = serde_json::to_vec(document).expect("a document can be written");
    let again = json(&written, &limits).expect("a document can be read again");
    // `1E5` is written `1e+5`, so what is written is compared.
    assert_eq!(serde_json::to_vec(&again).expect("a document can be written"), written);
}
