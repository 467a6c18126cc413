//! The keys with which something may be sealed: noted in the store before they seal, held against those in the key
//! file. The file is read again while the bridge runs; a new first key seals from then on.

use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::pool::Pool;
use super::transaction::{params, transacted};
use super::{queries, statements};
use crate::store::Error;
use crate::store::form::cipher::Cipher;

/// In `meta`: the keys, by their ids in hex, with which something in the store may be sealed.
pub(super) const SEALED_WITH: &str = "sealed_with";

/// How often the key file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 2000 });

/// Finds whether all keys are there that the store needs, and notes the one that seals.
pub(super) async fn check(pool: &Pool, cipher: &Cipher) -> Result<(), Error> {
    let current = cipher.current();
    let ids = transacted!(pool, |transaction| {
        // Others may note theirs now.
        transaction.query(statements::LOCK, params![SEALED_WITH]).await?;
        let kept = transaction.query_opt(statements::GET_BYTES, params![SEALED_WITH]).await?;
        let kept: Option<Vec<u8>> = kept.and_then(|row| row.get(0));
        let mut ids = String::from_utf8_lossy(&kept.unwrap_or_default()).into_owned();
        let known = |id: &String| ids.split_whitespace().any(|known| known == id);
        if cipher.missing(ids.split_whitespace()).is_empty()
            && let Some(new) = current.as_ref().filter(|id| !known(id))
        {
            format!("{ids} {new}").trim().clone_into(&mut ids);
            let bytes = ids.as_bytes();
            transaction.execute(queries::SET_BYTES, params![SEALED_WITH, bytes]).await?;
        }
        Ok(ids)
    })?;
    cipher.check(ids.split_whitespace())
}

impl Core {
    /// Follows the key file until the store is closed.
    pub(super) async fn follow_keys(self: Arc<Self>) {
        if !self.cipher.has_file() {
            return;
        }
        let mut wrong: Option<String> = None;
        loop {
            tokio::select! {
                () = self.closing.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            match self.take_keys().await {
                Ok(taken) => {
                    wrong = None;
                    if taken {
                        tracing::info!("the encryption key file changed, its keys are in force");
                    }
                }
                Err(error) => {
                    let said = error.to_string();
                    if wrong.as_ref() != Some(&said) {
                        tracing::error!(%error, "the encryption key file changed, the old keys stay in force");
                    }
                    wrong = Some(said);
                }
            }
        }
    }

    /// Takes the keys of a key file that has changed, unless one is missing that the store needs.
    async fn take_keys(&self) -> Result<bool, Error> {
        let Some(changed) = self.cipher.changed()? else { return Ok(false) };
        check(&self.pool, &changed).await?;
        self.cipher.take(&changed);
        Ok(true)
    }
}
