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

/// The largest body that is taken, and the name of what says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimit {
    /// The size, as sent and as inflated.
    pub size: ByteSize,
    /// The setting, or the key of the mapping file.
    pub name: &'static str,
}

impl std::fmt::Display for BodyLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (`{}`)", self.size, self.name)
    }
}

impl IntakeSettings {
    /// The largest body of a source that says `body.max` itself, or does not.
    pub fn body_limit(&self, own: Option<ByteSize>) -> BodyLimit {
        let (size, name) = own.map_or((self.max_body, "server.max_body"), |own| (own, "body.max"));
        if size > self.max_body_ceiling {
            BodyLimit { size: self.max_body_ceiling, name: "server.max_body_ceiling" }
        } else {
            BodyLimit { size, name }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_is_above_all() {
        let text = r#"{"max_body": "20MiB", "request_timeout": "3s"}"#;
        let settings: IntakeSettings = serde_json::from_str(text).unwrap();

        for (own, size, name) in [
            (None, 16 << 20, "server.max_body_ceiling"),
            (Some(1 << 30), 16 << 20, "server.max_body_ceiling"),
            (Some(1 << 10), 1 << 10, "body.max"),
        ] {
            let limit = BodyLimit { size: ByteSize(size), name };
            assert_eq!(settings.body_limit(own.map(ByteSize)), limit);
        }
        let limit = BodyLimit { size: ByteSize(1 << 20), name: "server.max_body" };
        assert_eq!(IntakeSettings::default().body_limit(None), limit);
        assert_eq!(settings.max_buffered, ByteSize(64 << 20));
    }
}
