//! The key file is read again while the bridge runs: a new first key seals from then on, without a restart.

use std::time::{Duration, Instant};

use super::schema;
use super::writer::Writer;
use crate::store::Error;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 2000 });

/// When the key file was looked at last, and what was wrong with it then.
pub(super) struct Followed {
    looked: Instant,
    wrong: Option<String>,
}

impl Followed {
    pub(super) fn new() -> Self {
        Self { looked: Instant::now(), wrong: None }
    }
}

impl Writer {
    /// How long the writer may sleep before the key file is to be looked at.
    pub(super) fn key_file_idle(&self) -> Option<Duration> {
        self.path
            .cipher
            .has_file()
            .then(|| LOOK_EVERY.saturating_sub(self.followed.looked.elapsed()))
    }

    /// Takes the keys of a key file that has changed, unless one is missing that the store needs.
    pub(super) fn follow_keys(&mut self) {
        if !self.path.cipher.has_file() || self.followed.looked.elapsed() < LOOK_EVERY {
            return;
        }
        self.followed.looked = Instant::now();
        match self.take_keys() {
            Ok(taken) => {
                self.followed.wrong = None;
                if taken {
                    tracing::info!("the encryption key file changed, its keys are in force");
                }
            }
            Err(error) => {
                let wrong = error.to_string();
                if self.followed.wrong.as_ref() != Some(&wrong) {
                    tracing::error!(%error, "the encryption key file changed, the old keys stay in force");
                }
                self.followed.wrong = Some(wrong);
            }
        }
    }

    fn take_keys(&self) -> Result<bool, Error> {
        let Some(connection) = &self.connection else { return Ok(false) };
        let Some(changed) = self.path.cipher.changed()? else { return Ok(false) };
        schema::check_keys(connection, &changed)?;
        schema::note_key(connection, &changed)?;
        self.path.cipher.take(&changed);
        Ok(true)
    }
}
