//! Where a PostgreSQL is, and how the way there is protected.

use std::path::PathBuf;
use std::str::FromStr;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, SslMode, TargetSessionAttrs};

/// Where the tables are when the URL says nothing else.
const SCHEMA: &str = "chatflow_bridge";

/// PostgreSQL cuts longer names off.
const LONGEST_NAME: usize = 63;

/// How the server is known (`sslmode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Trust {
    /// Whoever answers is believed (`disable`, `prefer`, `require`).
    #[default]
    Anybody,
    /// Its certificate is signed by an authority that is trusted (`verify-ca`).
    Authority,
    /// The same, and it is for the host that was asked for (`verify-full`).
    Host,
}

/// A `postgres://` URL, read.
#[derive(Clone)]
pub struct Address {
    pub(super) config: Config,
    pub(super) trust: Trust,
    /// The schema of the tables: letters, digits and underscores.
    pub(super) schema: String,
}

/// Where a store is kept in PostgreSQL, and how it is reached.
#[derive(Clone)]
pub struct Place {
    /// The server, the database and the user.
    pub address: Address,
    /// A file with the password, read again for each new connection.
    pub password_file: Option<PathBuf>,
    /// A file with the certificates of authorities that are trusted, in place of those that browsers trust.
    pub ca_file: Option<PathBuf>,
    /// At most so many connections at once; one more listens.
    pub connections: usize,
}

impl Place {
    /// A place without files and with 8 connections.
    pub const fn new(address: Address) -> Self {
        Self { address, password_file: None, ca_file: None, connections: 8 }
    }
}

/// Why a text does not say where a PostgreSQL is. Never has the password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// It is no such URL.
    #[error(
        "a PostgreSQL is named as `postgres://USER@HOST:5432/DATABASE`; what this URL says cannot be read"
    )]
    Unreadable,
    /// It lacks a part.
    #[error("the URL names no {0}: `postgres://USER@HOST:5432/DATABASE`")]
    Lacks(&'static str),
    /// An unknown word.
    #[error("`sslmode` is `disable`, `prefer`, `require`, `verify-ca` or `verify-full`")]
    SslMode,
    /// A setting of the bridge.
    #[error(
        "the certificates of authorities are named in `store.ca_file`, not in the URL (`sslrootcert`)"
    )]
    CaFile,
    /// A name that would have to be quoted.
    #[error("`schema` is at most 63 small letters, digits and underscores, no digit first")]
    Schema,
    /// `options` do not reach the server through a pooler.
    #[error("`options` cannot be given: the bridge sets what it needs in each transaction")]
    Options,
}

impl FromStr for Address {
    type Err = InvalidAddress;

    /// Reads a URL. `sslmode` also knows `verify-ca` and `verify-full`; `schema` names the schema of the tables.
    fn from_str(url: &str) -> Result<Self, InvalidAddress> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut kept = Vec::new();
        let (mut ssl, mut trust, mut schema) = (SslMode::Prefer, Trust::Anybody, SCHEMA.to_owned());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("sslmode", mode) => (ssl, trust) = mode_of(mode)?,
                ("sslrootcert", _) => return Err(InvalidAddress::CaFile),
                ("options", _) => return Err(InvalidAddress::Options),
                ("schema", name) => name.clone_into(&mut schema),
                _ => kept.push(pair),
            }
        }
        if !is_name(&schema) {
            return Err(InvalidAddress::Schema);
        }
        let url =
            if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
        let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
        // The parser's own words might show a part of the password.
        let config = is_url.then(|| url.parse::<Config>().ok()).flatten();
        let mut config = config.ok_or(InvalidAddress::Unreadable)?;
        if config.get_user().is_none_or(str::is_empty) {
            return Err(InvalidAddress::Lacks("user"));
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(InvalidAddress::Lacks("database"));
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(InvalidAddress::Lacks("host"));
        }
        config
            .ssl_mode(ssl)
            .channel_binding(ChannelBinding::Disable)
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .application_name("chatflow-bridge");
        Ok(Self { config, trust, schema })
    }
}

fn mode_of(word: &str) -> Result<(SslMode, Trust), InvalidAddress> {
    Ok(match word {
        "disable" => (SslMode::Disable, Trust::Anybody),
        "prefer" => (SslMode::Prefer, Trust::Anybody),
        "require" => (SslMode::Require, Trust::Anybody),
        "verify-ca" => (SslMode::Require, Trust::Authority),
        "verify-full" => (SslMode::Require, Trust::Host),
        _ => return Err(InvalidAddress::SslMode),
    })
}

/// Whether it is a name that needs no quotes anywhere.
fn is_name(text: &str) -> bool {
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    text.len() <= LONGEST_NAME
        && text.bytes().all(fits)
        && text.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_how_and_in_which_schema() {
        for (query, ssl, trust, schema) in [
            ("", SslMode::Prefer, Trust::Anybody, SCHEMA),
            ("?sslmode=disable", SslMode::Disable, Trust::Anybody, SCHEMA),
            ("?sslmode=require&connect_timeout=3", SslMode::Require, Trust::Anybody, SCHEMA),
            ("?sslmode=verify-ca", SslMode::Require, Trust::Authority, SCHEMA),
            ("?schema=other_1&sslmode=verify-full", SslMode::Require, Trust::Host, "other_1"),
        ] {
            for scheme in ["postgres", "postgresql"] {
                let url = format!("{scheme}://ann:p%40ss@db.example.com:5433/bridge{query}");

                let address: Address = url.parse().unwrap();

                let Address { config, trust: trusts, schema: named } = &address;
                assert_eq!(
                    (config.get_ssl_mode(), *trusts, &**named),
                    (ssl, trust, schema),
                    "{url}"
                );
                assert_eq!(config.get_password(), Some(b"p@ss".as_slice()));
                assert_eq!(
                    (config.get_ports(), config.get_dbname()),
                    (&[5433][..], Some("bridge"))
                );
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_its_password() {
        for (url, why) in [
            ("postgres://ann:secret@host:port/bridge", "cannot be read"),
            ("mysql://ann:secret@host/bridge", "cannot be read"),
            ("postgres://host/bridge", "no user"),
            ("postgres://ann:secret@host", "no database"),
            ("postgres://ann:secret@/bridge", "no host"),
            ("postgres://ann:secret@host/bridge?sslmode=full", "verify-full"),
            ("postgres://ann:secret@host/bridge?sslrootcert=/ca.pem", "store.ca_file"),
            ("postgres://ann:secret@host/bridge?options=-c%20x%3D1", "options"),
            ("postgres://ann:secret@host/bridge?schema=My\"schema", "small letters"),
            ("postgres://ann:secret@host/bridge?secret=1", "cannot be read"),
        ] {
            let wrong = url.parse::<Address>().err().expect(url).to_string();
            assert!(wrong.contains(why), "{url}: {wrong}");
            assert!(!wrong.contains("secret"), "{wrong}");
        }
    }
}
