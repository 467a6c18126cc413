//! Every key, its default and its meaning: the one table that reading, `config` and the reference share.

use std::net::SocketAddr;

use crate::store::settings::StoreUrl;
use crate::units::{ByteSize, Span};

/// What a value has to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An address to listen at, such as `127.0.0.1:9091`.
    Address,
    /// A length of time, such as `30s`.
    Duration,
    /// A number of bytes, such as `1MiB`.
    Size,
    /// A whole number, not negative.
    Whole,
    /// A number, not negative.
    Number,
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any text.
    Text,
    /// A text that is never shown.
    Secret,
    /// Where a store is; its password is never shown.
    Store,
    /// A list of texts; in the environment separated by `,`.
    List,
}

impl Kind {
    /// What is wrong with a value of this kind; nothing if it is right.
    pub(super) fn flaw(self, value: &str) -> Option<String> {
        let told = |right: bool, expected: &str| (!right).then(|| format!("expected {expected}"));
        match self {
            Self::Text | Self::List | Self::Secret => None,
            Self::Store => StoreUrl::new(value).place().err().map(|error| error.to_string()),
            Self::Word(words) => told(words.contains(&value), &words.join(" or ")),
            Self::Duration => value.parse::<Span>().err().map(|error| error.to_string()),
            Self::Size => value.parse::<ByteSize>().err().map(|error| error.to_string()),
            Self::Whole => told(value.parse::<u64>().is_ok(), "a whole number"),
            Self::Number => told(
                value.parse::<f64>().is_ok_and(|number| number.is_finite() && number >= 0.0),
                "a number, 0 or more",
            ),
            Self::Switch => told(matches!(value, "true" | "false"), "true or false"),
            Self::Address => told(
                value.parse::<SocketAddr>().is_ok(),
                "an address and a port, such as 127.0.0.1:9091",
            ),
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

macro_rules! keys {
    ($($name:literal: $kind:expr, $default:expr, $help:literal;)+) => {
        /// All of them, in the order of the reference.
        pub const KEYS: &[Key] =
            &[$(Key { name: $name, default: $default, kind: $kind, help: $help },)+];
    };
}

keys! {
    "server.hooks": Kind::Address, Some("0.0.0.0:8080"), "where senders post; port 0 picks one and logs it";
    "server.metrics": Kind::Address, Some("0.0.0.0:9090"), "metrics and health";
    "server.admin": Kind::Address, Some("127.0.0.1:9091"), "the operator's door";
    "server.public_url": Kind::Text, None, "where senders reach the bridge, such as `https://hooks.example`: needed for senders that sign the URL";
    "server.trusted_proxies": Kind::List, Some(""), "addresses and ranges of proxies whose `X-Forwarded-For` counts";
    "server.max_body": Kind::Size, Some("1MiB"), "the largest body that is taken";
    "server.max_body_ceiling": Kind::Size, Some("16MiB"), "the most that a mapping may allow with `body.max`";
    "server.max_buffered": Kind::Size, Some("64MiB"), "memory for bodies that are being received; past it 503";
    "server.request_timeout": Kind::Duration, Some("10s"), "for receiving one request; past it 408";
    "server.max_connections": Kind::Whole, Some("12000"), "open connections of senders; one more takes the place of one that has been waited for the longest";
    "server.unverified_per_minute": Kind::Whole, Some("600"), "requests that are not believed, for each client address; past it 429 for what shows no signature or token";
    "server.keep_rejected": Kind::Duration, Some("0"), "how long refused requests are kept in memory for `verify --rejected`: with their signatures, tokens and bodies; 0: not at all";
    "server.tls.cert_file": Kind::Text, None, "the certificate for senders and those that lead to its root, PEM; read again when it changes";
    "server.tls.key_file": Kind::Text, None, "its private key, PEM";
    "server.drain_delay": Kind::Duration, Some("5s"), "how long to go on serving after readiness went off";
    "server.shutdown_grace": Kind::Duration, Some("25s"), "from SIGTERM to the end; includes the delay";
    "admin.token": Kind::Secret, None, "the bearer token of the admin API; without it one is made and kept in `<store file>.admin-token`; with PostgreSQL there is no such file, and the listener is off";
    "admin.token_file": Kind::Text, None, "the same, from a file";
    "admin.hosts": Kind::List, Some(""), "names under which the admin listener may be asked, beside loopback's";
    "chatflow.base_url": Kind::Text, Some("https://chatflow.pabbly.com/api/v1"), "the API; https unless it is on this machine";
    "chatflow.api_key": Kind::Secret, None, "the API key: Chatflow, Settings, API & Webhooks";
    "chatflow.api_key_file": Kind::Text, None, "the same, from a file that is read again when it changes";
    "chatflow.timeout": Kind::Duration, Some("10s"), "for one call, to the last byte of the answer";
    "chatflow.connect_timeout": Kind::Duration, Some("3s"), "for one connection to the API";
    "chatflow.ca_file": Kind::Text, None, "certificates to trust beside the system's, PEM";
    "chatflow.proxy": Kind::Secret, None, "an HTTP proxy to go through, which may hold a password; `HTTPS_PROXY` is not read";
    "chatflow.wire.attributes": Kind::Word(&["array", "json_string"]), Some("array"), "how `attributes` is written";
    "chatflow.wire.tag_changes": Kind::Word(&["string", "array"]), Some("string"), "how `tagsToAdd` and `tagsToRemove` are written";
    "chatflow.wire.on_duplicate": Kind::Word(&["query", "body"]), Some("query"), "where `onDuplicate` goes";
    "delivery.concurrency": Kind::Whole, Some("16"), "requests to the API at once";
    "delivery.rate_per_second": Kind::Number, None, "requests to the API in a second at most; without it no limit";
    "delivery.coalesce": Kind::Switch, Some("true"), "send what waits for one contact in one request where that changes nothing";
    "delivery.after_dead": Kind::Word(&["continue", "block"]), Some("continue"), "`block` has what waits behind a dead update wait until that is replayed or discarded";
    "delivery.retry.first_delay": Kind::Duration, Some("1s"), "wait before the second attempt; every later wait doubles";
    "delivery.retry.longest_delay": Kind::Duration, Some("15m"), "the longest wait between two attempts";
    "delivery.retry.longest_retry_after": Kind::Duration, Some("15m"), "the longest `Retry-After` that is believed";
    "delivery.retry.give_up_after": Kind::Duration, Some("72h"), "time spent failing after which an update is dead";
    "delivery.retry.unclear_attempts": Kind::Whole, Some("6"), "answers that cannot be understood before an update is dead";
    "contact.cache_ttl": Kind::Duration, Some("10m"), "for how long a contact that was looked up is known";
    "contact.cache_entries": Kind::Whole, Some("100000"), "how many contacts are known at most";
    "contact.wait": Kind::Duration, Some("15m"), "for how long a contact that is missing is looked for";
    "store.url": Kind::Store, Some("sqlite:chatflow-bridge.db"), "where accepted work waits: `sqlite:` and the path of a file, or `postgres://USER@HOST:5432/DATABASE` for several replicas; `?sslmode=verify-full` holds the server's certificate against `store.ca_file`";
    "store.password_file": Kind::Text, None, "a file with the password for PostgreSQL, read again for each new connection";
    "store.ca_file": Kind::Text, None, "certificates of authorities that PostgreSQL's is held against with `sslmode=verify-ca` or `verify-full`, PEM; without it those that browsers trust";
    "store.connections": Kind::Whole, Some("8"), "connections to PostgreSQL at most, beside one that listens";
    "store.max_waiting": Kind::Whole, Some("2000000"), "updates that may wait; past it 503";
    "store.max_size": Kind::Size, Some("10GiB"), "the size of the store; past it 503";
    "store.min_free": Kind::Size, Some("512MiB"), "free disk to keep; below it 503; only for a file";
    "store.retention.delivered": Kind::Duration, Some("7d"), "how long delivered, skipped and discarded updates are kept; an event goes as a whole, when none of it is to be kept";
    "store.retention.ignored": Kind::Duration, Some("7d"), "how long events without effect and control messages are kept";
    "store.retention.dead": Kind::Duration, None, "how long dead and held updates are kept; without it until they are replayed, discarded or purged";
    "store.encryption_key_file": Kind::Text, None, "keys that encrypt bodies, updates and secrets in the store, one a line, the first one seals; read again when it changes";
    "mappings.dir": Kind::Text, Some("mappings"), "the folder with the mapping files";
    "mappings.watch": Kind::Switch, Some("true"), "whether to follow the folder; SIGHUP reads it again in any case";
    "log.format": Kind::Word(&["pretty", "json"]), None, "pretty or json; without it pretty on a terminal, else json";
    "log.level": Kind::Text, Some("info"), "error, warn, info, debug, trace, or a filter";
    "telemetry.otlp_endpoint": Kind::Text, None, "where a collector takes traces as OTLP over HTTP, such as `http://collector:4318`; without it nothing is traced";
    "telemetry.sample_ratio": Kind::Number, Some("1"), "the share of traces that are kept, from 0 to 1; a sender that is trusted with it decides for its own";
}

/// The key of this name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether keys begin with this name, so that it is a section.
pub(super) fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// The known key nearest to a name, where one is near enough to be meant.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let last = |name: &'static str| name.rsplit('.').next().unwrap_or(name);
    let near = |wanted: &str, key: &'static Key| {
        let whole = strsim::damerau_levenshtein(wanted, key.name);
        // A key at the wrong level is as near as its last word.
        let word = 1 + strsim::damerau_levenshtein(
            wanted.rsplit('.').next().unwrap_or(wanted),
            last(key.name),
        );
        (whole.min(word), key.name)
    };
    KEYS.iter()
        .map(|key| near(name, key))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, name)| name)
}
