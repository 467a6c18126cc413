//! The API key and the admin token: from the settings, or from files that are read again when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::StartError;
use crate::admin::auth::Guard;
use crate::chatflow::{ChatflowSettings, Client};
use crate::delivery::Pauses;
use crate::secret::Secret;
use crate::settings::Settings;

/// How often the file is looked at: a Kubernetes secret changes within a minute anyway.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The key in force at the start.
pub(crate) fn first(settings: &ChatflowSettings) -> Result<Secret, StartError> {
    given(settings.api_key.as_ref(), settings.api_key_file.as_deref())?.ok_or(StartError::NoApiKey)
}

/// A secret that is given in a file, which wins, or as it is.
pub(crate) fn given(
    secret: Option<&Secret>,
    file: Option<&Path>,
) -> Result<Option<Secret>, StartError> {
    let Some(path) = file else {
        return Ok(secret.filter(|secret| !secret.expose().trim().is_empty()).cloned());
    };
    let wrong = |problem: String| StartError::SecretFile { path: path.to_owned(), problem };
    match read(path) {
        Ok(Some(secret)) => Ok(Some(secret)),
        Ok(None) => Err(wrong("is empty".to_owned())),
        Err(error) => Err(wrong(format!("cannot be read: {error}"))),
    }
}

/// Follows the files of the API key and the admin token, where they are in files.
pub(super) fn follow_files(
    settings: &Settings,
    (client, pauses): (Client, Arc<Pauses>),
    guard: Option<&web::Data<Guard>>,
    work: &TaskTracker,
    stop: &CancellationToken,
) {
    if let Some(file) = settings.chatflow.api_key_file.clone() {
        work.spawn(follow_key(file, client, pauses, stop.clone()));
    }
    if let (Some(file), Some(guard)) = (settings.admin.token_file.clone(), guard) {
        work.spawn(follow_token(file, web::Data::clone(guard), stop.clone()));
    }
}

/// Follows the file of the API key: a new key is in force at once, and delivery that was paused for the old one
/// tries it.
async fn follow_key(path: PathBuf, client: Client, pauses: Arc<Pauses>, stop: CancellationToken) {
    let changed = |key: &Secret| {
        match client.set_key(key) {
            Ok(()) => tracing::info!("the API key file changed, its key is in force"),
            Err(error) => {
                tracing::error!(%error, "the API key file changed, the old key stays in force");
            }
        }
        pauses.poke();
    };
    follow(path, changed, stop).await;
}

/// Follows the file of the admin token.
async fn follow_token(path: PathBuf, guard: web::Data<Guard>, stop: CancellationToken) {
    let changed = |token: &Secret| {
        guard.set_token(token.clone());
        tracing::info!("the admin token file changed, its token is in force");
    };
    follow(path, changed, stop).await;
}

async fn follow(path: PathBuf, changed: impl Fn(&Secret), stop: CancellationToken) {
    let mut known = read(&path).ok().flatten();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        // A file that is away or empty for a moment is being replaced: the last key stays in force.
        if let Ok(Some(key)) = read(&path)
            && known.as_ref().is_none_or(|known| known.expose() != key.expose())
        {
            changed(&key);
            known = Some(key);
        }
    }
}

fn read(path: &Path) -> std::io::Result<Option<Secret>> {
    let text = std::fs::read_to_string(path)?;
    Ok(Some(text.trim()).filter(|key| !key.is_empty()).map(Secret::new))
}
