//! What is kept beside events: the mapping files that were last in force, and the secrets that senders gave themselves.

use super::core::Core;
use super::queries;
use super::sealing::{named_opened, named_sealed};
use super::statements;
use super::transaction::{params, transacted};
use crate::event::SourceName;
use crate::store::Error;
use crate::store::form::kept::UNREADABLE;

/// The kind of a mapping file's text, where it is sealed.
const MAPPING: &str = "mapping";

/// The kind of a sender's secret, where it is sealed.
const SECRET: &str = "secret";

/// The name in `meta` under which the secret of a source's sender is kept.
fn name_of(source: &SourceName) -> String {
    format!("adopted:{source}")
}

fn unreadable() -> Error {
    Error::Failed(UNREADABLE.to_owned())
}

impl Core {
    /// Puts these files, by name and text, in the place of those that were kept.
    pub(super) async fn keep_mappings(&self, files: &[(String, String)]) -> Result<(), Error> {
        let seal = |(name, text): &(String, String)| {
            named_sealed(&self.cipher, MAPPING, name, text.as_bytes().to_vec())
        };
        let texts = files.iter().map(seal).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        self.noted(
            "keep",
            transacted!(self.pool, |transaction| {
                // Others may keep theirs now: one set of files is kept, not a mixture.
                transaction.batch(queries::LOCK_MAPPINGS).await?;
                transaction.execute(queries::FORGET_MAPPINGS, &[]).await?;
                transaction.execute(queries::KEEP_MAPPINGS, params![names, texts]).await?;
                Ok(())
            }),
        )
    }

    /// The files that are kept, in the order of their names.
    pub(super) async fn kept_mappings(&self) -> Result<Vec<(String, String)>, Error> {
        let rows = transacted!(self.pool, |transaction| {
            transaction.query(queries::KEPT_MAPPINGS, &[]).await
        })?;
        let read = |row: &tokio_postgres::Row| {
            let name: String = row.get(0);
            let text = named_opened(&self.cipher, MAPPING, &name, row.get(1));
            let text = text.and_then(|text| String::from_utf8(text).ok()).ok_or_else(unreadable)?;
            Ok((name, text))
        };
        rows.iter().map(read).collect()
    }

    /// Keeps a secret unless there is one of its source; gives the one there is.
    pub(super) async fn adopt_secret(
        &self,
        source: &SourceName,
        secret: &str,
    ) -> Result<String, Error> {
        let name = name_of(source);
        let sealed = named_sealed(&self.cipher, SECRET, &name, secret.as_bytes().to_vec())?;
        let kept = self.noted(
            "adopt",
            transacted!(self.pool, |transaction| {
                transaction.execute(statements::ADD_BYTES, params![name, sealed]).await?;
                transaction.query_opt(statements::GET_BYTES, params![name]).await
            }),
        )?;
        let kept = kept.and_then(|row| row.get(0)).ok_or_else(unreadable)?;
        self.secret(&name, kept)
    }

    /// The secret that is kept of a source's sender.
    pub(super) async fn adopted_secret(
        &self,
        source: &SourceName,
    ) -> Result<Option<String>, Error> {
        let name = name_of(source);
        let kept = transacted!(self.pool, |transaction| {
            transaction.query_opt(statements::GET_BYTES, params![name]).await
        })?;
        let kept: Option<Vec<u8>> = kept.and_then(|row| row.get(0));
        kept.map(|kept| self.secret(&name, kept)).transpose()
    }

    /// Whether there was a secret of the source's sender.
    pub(super) async fn forget_secret(&self, source: &SourceName) -> Result<bool, Error> {
        let name = name_of(source);
        self.noted(
            "adopt",
            transacted!(self.pool, |transaction| {
                Ok(transaction.execute(queries::FORGET_META, params![name]).await? > 0)
            }),
        )
    }

    fn secret(&self, name: &str, kept: Vec<u8>) -> Result<String, Error> {
        let secret = named_opened(&self.cipher, SECRET, name, kept);
        secret.and_then(|secret| String::from_utf8(secret).ok()).ok_or_else(unreadable)
    }
}
