//! Every key, its default and its meaning: the one table that reading, `config` and the reference share.

use std::net::SocketAddr;

use crate::units::Span;

/// What a value has to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An address to listen at, such as `127.0.0.1:9091`.
    Address,
    /// A length of time, such as `30s`.
    Duration,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any text.
    Text,
}

impl Kind {
    /// What is wrong with a value of this kind; nothing if it is right.
    pub(super) fn flaw(self, value: &str) -> Option<String> {
        match self {
            Self::Text => None,
            Self::Word(words) if words.contains(&value) => None,
            Self::Word(words) => Some(format!("expected {}", words.join(" or "))),
            Self::Duration => value.parse::<Span>().err().map(|error| error.to_string()),
            Self::Address => value
                .parse::<SocketAddr>()
                .err()
                .map(|_| "expected an address and a port, such as 127.0.0.1:9091".to_owned()),
        }
    }
}

/// A setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The dotted name, such as `server.hooks`.
    pub name: &'static str,
    /// What is in force when nobody says otherwise; nothing where there is no default.
    pub default: Option<&'static str>,
    /// What a value has to look like.
    pub kind: Kind,
    /// What it means.
    pub help: &'static str,
}

const fn key(
    name: &'static str,
    default: Option<&'static str>,
    kind: Kind,
    help: &'static str,
) -> Key {
    Key { name, default, kind, help }
}

/// All of them, in the order of the reference.
pub const KEYS: &[Key] = &[
    key(
        "server.hooks",
        Some("0.0.0.0:8080"),
        Kind::Address,
        "where senders post; port 0 picks one and logs it",
    ),
    key("server.metrics", Some("0.0.0.0:9090"), Kind::Address, "metrics and health"),
    key("server.admin", Some("127.0.0.1:9091"), Kind::Address, "the operator's door"),
    key(
        "server.drain_delay",
        Some("5s"),
        Kind::Duration,
        "how long to go on serving after readiness went off",
    ),
    key(
        "server.shutdown_grace",
        Some("25s"),
        Kind::Duration,
        "from SIGTERM to the end; includes the delay",
    ),
    key(
        "log.format",
        None,
        Kind::Word(&["pretty", "json"]),
        "pretty or json; without it pretty on a terminal, else json",
    ),
    key("log.level", Some("info"), Kind::Text, "error, warn, info, debug, trace, or a filter"),
];

/// The key of this name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The known key nearest to a name, where one is near enough to be meant.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    KEYS.iter()
        .map(|key| (strsim::damerau_levenshtein(name, key.name), key.name))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, name)| name)
}
