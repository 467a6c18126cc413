//! Following the folder and the secret files: what is found counts once it has stayed the same for a moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::candidate::{Files, fingerprint};
use super::secret_files::SecretFiles;
use super::watch::{LOOK_EVERY, Settling, Watch};
use super::{Live, Outcome, Tell};
use crate::mapping::Set;
use crate::settings::environment::Unreadable;

/// How long changed files must have stayed the same before they count.
const QUIET: Duration = Duration::from_millis(100);
/// The same where a file is away: it may be about to come back, and its sender would get 404 meanwhile.
const QUIET_AWAY: Duration = Duration::from_secs(1);

impl Live {
    /// Follows the folder, where `watching`, and the secret files until told to stop.
    pub async fn follow(self: Arc<Self>, watching: bool, stop: CancellationToken) {
        let folder = self.folder.as_deref().filter(|_| watching);
        let mut watch = folder.map(Watch::of);
        let (mut files, mut secrets) = (Settling::new(), Settling::new());
        loop {
            let pause = if files.waits() || secrets.waits() { QUIET } else { LOOK_EVERY };
            let told = async {
                match &watch {
                    Some(watch) => watch.changed().await,
                    None => std::future::pending().await,
                }
            };
            let is_told = tokio::select! {
                () = stop.cancelled() => return,
                () = told => true,
                () = tokio::time::sleep(pause) => false,
            };
            if let (Some(watch), Some(folder)) = (&mut watch, folder) {
                watch.renew(folder);
                self.look_at_files(&mut files, is_told).await;
            }
            self.look_at_secrets(&mut secrets).await;
            self.keep_what_waits(&mut *self.state.lock().await, Tell::No).await;
        }
    }

    async fn look_at_files(&self, settling: &mut Settling<String>, is_told: bool) {
        let read = self.read().await;
        let found = fingerprint(&read);
        let mut state = self.state.lock().await;
        let is_in_force = found == state.set.hash() && self.shown.load().problem.is_none();
        if is_in_force || state.refused.as_ref() == Some(&found) {
            let passed = settling.nothing();
            if is_in_force && is_told && !passed {
                self.count(Outcome::Unchanged);
            }
            return;
        }
        let quiet = if lacks_one(&read, &state.set) { QUIET_AWAY } else { QUIET };
        if settling.settles(found, quiet, Instant::now()) {
            self.consider(&mut state, read).await;
        }
    }

    async fn look_at_secrets(&self, settling: &mut Settling<SecretFiles>) {
        let mut state = self.state.lock().await;
        let now = self.secrets_now(&state).await;
        if now == state.secrets {
            settling.nothing();
            return;
        }
        let quiet = if now.lack_one() { QUIET_AWAY } else { QUIET };
        if settling.settles(now, quiet, Instant::now()) {
            self.reopen(&mut state).await;
        }
    }
}

fn lacks_one(read: &Result<Files, Unreadable>, set: &Set) -> bool {
    let there = |file: &str| match read {
        Ok(files) => files.iter().any(|(name, _)| name == file),
        Err(_) => false,
    };
    !set.iter().all(|source| there(&source.file))
}
