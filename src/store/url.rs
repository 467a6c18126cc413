//! Where a store is: a file of SQLite, or a database of PostgreSQL.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use super::postgres::{Address, InvalidAddress};

/// The text that says where a store is. It may hold a password, so it shows itself without.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct StoreUrl(String);

/// What such a text means.
pub enum StorePlace {
    /// A file.
    Sqlite(PathBuf),
    /// A database.
    Postgres(Box<Address>),
}

/// Why a text does not say where a store is. Never has the password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// Neither of the two.
    #[error(
        "expected `sqlite:` and the path of a file, such as `sqlite:chatflow-bridge.db`, or `postgres://USER@HOST:5432/DATABASE`"
    )]
    Neither,
    /// A PostgreSQL that cannot be read so.
    #[error(transparent)]
    Postgres(#[from] InvalidAddress),
    /// What is to be done is only for a file.
    #[error("it names a PostgreSQL, and this is only for a store in a file: {0}")]
    NotAFile(&'static str),
}

impl StoreUrl {
    /// A text, whatever it says.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What it means.
    pub fn place(&self) -> Result<StorePlace, InvalidUrl> {
        if let Some(path) = self.0.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(StorePlace::Sqlite(PathBuf::from(path)));
        }
        let is_postgres =
            ["postgres://", "postgresql://"].iter().any(|scheme| self.0.starts_with(scheme));
        if is_postgres {
            Ok(StorePlace::Postgres(Box::new(self.0.parse()?)))
        } else {
            Err(InvalidUrl::Neither)
        }
    }
}

impl fmt::Display for StoreUrl {
    /// Whatever stands between the user and the host, or is called a password, is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else { return f.write_str(&self.0) };
        write!(f, "{scheme}://")?;
        // A password that was not encoded may have any of the signs that end it.
        let rest = match rest.rsplit_once('@') {
            Some((person, rest)) => {
                let user = person.split(':').next().unwrap_or_default();
                let hidden = if user.len() < person.len() { ":********" } else { "" };
                write!(f, "{user}{hidden}@")?;
                rest
            }
            None => rest,
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        f.write_str(place)?;
        for (number, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            f.write_str(if number == 0 { "?" } else { "&" })?;
            match pair.split_once('=') {
                Some((name, _)) if name.contains("pass") => write!(f, "{name}=********")?,
                _ => f.write_str(pair)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file_or_a_database() {
        for (url, path) in [
            ("sqlite:chatflow-bridge.db", "chatflow-bridge.db"),
            ("sqlite:/var/lib/bridge.db", "/var/lib/bridge.db"),
        ] {
            let Ok(StorePlace::Sqlite(named)) = StoreUrl::new(url).place() else { panic!("{url}") };
            assert_eq!(named, PathBuf::from(path));
        }
        for url in ["postgres://ann@db/bridge", "postgresql://ann:secret@db:5433/bridge"] {
            assert!(matches!(StoreUrl::new(url).place(), Ok(StorePlace::Postgres(_))), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_what_to_write() {
        for (url, why) in [
            ("sqlite:", "`sqlite:` and the path of a file"),
            ("bridge.db", "`sqlite:` and the path of a file"),
            ("mysql://ann:secret@db/bridge", "or `postgres://USER@HOST:5432/DATABASE`"),
            ("postgres://ann:secret@db", "names no database"),
        ] {
            let wrong = StoreUrl::new(url).place().err().unwrap().to_string();
            assert!(wrong.contains(why), "{url}: {wrong}");
            assert!(!wrong.contains("secret"), "{wrong}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("sqlite:a@b.db", "sqlite:a@b.db"),
            (
                "postgres://ann@db/bridge?sslmode=require",
                "postgres://ann@db/bridge?sslmode=require",
            ),
            ("postgres://ann:secret@db/bridge", "postgres://ann:********@db/bridge"),
            ("postgres://ann:se@cr/et?@db:1/bridge", "postgres://ann:********@db:1/bridge"),
            (
                "postgres://db/bridge?password=secret&a=b",
                "postgres://db/bridge?password=********&a=b",
            ),
            ("mysql://ann:secret@db", "mysql://ann:********@db"),
        ] {
            assert_eq!(format!("{}", StoreUrl::new(url)), shown);
            assert_eq!(format!("{:?}", StoreUrl::new(url)), shown);
        }
    }
}
