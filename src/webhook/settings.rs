//! The part of `server.*` that the door reads.

use serde::Deserialize;

use crate::units::{ByteSize, Span};

/// What a request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct IntakeSettings {
    /// The largest body where its source does not say otherwise.
    pub max_body: ByteSize,
    /// The largest body whatever anybody says.
    pub max_body_ceiling: ByteSize,
    /// What all bodies being received may hold together.
    pub max_buffered: ByteSize,
    /// How long a request may take to arrive.
    pub request_timeout: Span,
}

impl Default for IntakeSettings {
    fn default() -> Self {
        Self {
            max_body: ByteSize(1 << 20),
            max_body_ceiling: ByteSize(16 << 20),
            max_buffered: ByteSize(64 << 20),
            request_timeout: Span(std::time::Duration::from_secs(10)),
        }
    }
}

impl IntakeSettings {
    /// The largest body in force.
    pub fn body_limit(&self) -> ByteSize {
        self.max_body.min(self.max_body_ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_is_above_all() {
        let text = r#"{"max_body": "20MiB", "request_timeout": "3s"}"#;
        let settings: IntakeSettings = serde_json::from_str(text).unwrap();

        assert_eq!(settings.body_limit(), ByteSize(16 << 20));
        assert_eq!(settings.max_buffered, ByteSize(64 << 20));
    }
}
