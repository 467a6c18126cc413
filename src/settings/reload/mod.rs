//! The mappings in force, and what replaces them while the bridge runs.
//!
//! [`Live::follow`] looks at the folder and at secret files (`watch` says when), [`Live::reload`] does so when told
//! to, [`Live::offer`] takes files from elsewhere. [`Fit`] is a set that can be put in force, [`Unfit`] says why
//! files are not; `secret_files` remembers what sources were opened with.
//!
//! # Promises
//!
//! - A new set replaces the old one whole, or not at all; what is in hand finishes with the set it began with.
//! - Files that are not fit change nothing but what is said of them: log, metrics, readiness, `/api/status`.
//! - Content counts, not dates: the same files again change nothing.
//! - The set in force is kept in the store, so that a start with a broken folder has it.

mod candidate;
mod follow;
mod secret_files;
mod shipped;
mod watch;

pub use candidate::{Files, Fit, Offered, Unfit};

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tracing::{debug, error, info, warn};

use self::candidate::fingerprint;
use self::secret_files::{Remembering, SecretFiles};
use super::environment::{self, Unreadable};
use crate::clock::SharedClock;
use crate::mapping::{Set, warm_phone_metadata};
use crate::store::Store;
use crate::telemetry::metrics::Metrics;
use crate::webhook::verify::SecretSource;
use crate::webhook::{Doors, Flaw, Intake};

/// Who changes the folder all the time is not waited for.
const MOST_READINGS: usize = 10;

/// Where secrets come from.
pub type SharedSecrets = Arc<dyn SecretSource + Send + Sync>;

/// What became of files that were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// They are in force.
    Taken,
    /// They are those in force.
    Unchanged,
    /// They have an error; the last good set goes on.
    Invalid,
    /// They cannot be read; the last good set goes on.
    Unreadable,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Taken, Self::Unchanged, Self::Invalid, Self::Unreadable];

    /// The `outcome` label of `mappings_reloads_total`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "ok",
            Self::Unchanged => "unchanged",
            Self::Invalid => "invalid",
            Self::Unreadable => "unreadable",
        }
    }

    const fn of(unfit: &Unfit) -> Self {
        match unfit {
            Unfit::Unreadable(Unreadable::NoMapping { .. })
            | Unfit::Invalid(_)
            | Unfit::Verify(_)
            | Unfit::Nothing => Self::Invalid,
            Unfit::Unreadable(_) => Self::Unreadable,
        }
    }
}

/// What is shown of the mappings in force.
#[derive(Debug, Clone)]
pub struct InForce {
    /// Their hash.
    pub hash: String,
    /// Since when they are in force.
    pub since: Timestamp,
    /// Why the files that were seen last are not in force.
    pub problem: Option<String>,
}

/// What the mappings in force hang on.
pub struct Surroundings {
    /// Where they are put in force.
    pub intake: Arc<Intake>,
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// Where secrets come from.
    pub secrets: SharedSecrets,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// The clock.
    pub clock: SharedClock,
}

/// The mappings in force; they can be replaced at any time.
pub struct Live {
    around: Surroundings,
    /// Where they come from, if from a folder.
    folder: Option<PathBuf>,
    state: Mutex<State>,
    shown: ArcSwap<InForce>,
}

struct State {
    set: Arc<Set>,
    secrets: SecretFiles,
    /// What was refused last, so that it is refused once.
    refused: Option<String>,
    /// Files in force that the store does not have yet.
    to_keep: Option<Files>,
}

impl Live {
    /// Puts a first set in force.
    ///
    /// # Errors
    ///
    /// The sources whose `verify` cannot be used; nothing is in force then.
    pub async fn begin(
        around: Surroundings,
        folder: Option<PathBuf>,
        set: Arc<Set>,
    ) -> Result<Arc<Self>, Vec<Flaw>> {
        for outcome in Outcome::ALL {
            around.metrics.mappings_reloads_total.with_label_values(&[outcome.as_str()]);
        }
        let (doors, secrets) = build(&around, Arc::clone(&set)).await?;
        let now = InForce { hash: String::new(), since: Timestamp::UNIX_EPOCH, problem: None };
        let live = Arc::new(Self {
            around,
            folder,
            state: Mutex::new(State {
                set: Arc::clone(&set),
                secrets: SecretFiles::default(),
                refused: None,
                to_keep: None,
            }),
            shown: ArcSwap::from_pointee(now),
        });
        live.install(&mut *live.state.lock().await, set, doors, secrets);
        Ok(live)
    }

    /// Has the store keep the files of the set in force, unless it has them.
    pub async fn keep(&self, files: Files) {
        let mut files = files;
        files.sort();
        let kept = self.around.store.kept_mappings().await;
        let other = kept.as_ref().map(|kept| shipped::otherwise(kept, &files)).unwrap_or_default();
        if !other.is_empty() {
            warn!(
                shipped = %other.join(", "),
                "this release ships other mappings than the one that ran before, and sources extend them: \
                 `chatflow-bridge diff` shows what becomes different"
            );
        }
        if !kept.is_ok_and(|kept| kept == files) {
            let state = &mut *self.state.lock().await;
            state.to_keep = Some(files);
            self.keep_what_waits(state, Tell::Yes).await;
        }
    }

    /// Says that what was found is not taken: another set is in force.
    pub async fn refuse(&self, fingerprint: String, unfit: &Unfit) -> Outcome {
        self.refused(&mut *self.state.lock().await, fingerprint, unfit)
    }

    /// What is in force.
    pub fn in_force(&self) -> Arc<InForce> {
        self.shown.load_full()
    }

    /// Puts these files in force, if they are fit.
    pub async fn offer(&self, files: Files) -> Outcome {
        let mut state = self.state.lock().await;
        self.consider(&mut state, Ok(files)).await
    }

    /// Looks at the folder and at the secret files now.
    pub async fn reload(&self) -> Outcome {
        let mut state = self.state.lock().await;
        let mut outcome = Outcome::Unchanged;
        if self.folder.is_some() {
            let read = self.read_unmixed().await;
            outcome = self.consider(&mut state, read).await;
        }
        if self.secrets_now(&state).await != state.secrets {
            self.reopen(&mut state).await;
        }
        outcome
    }

    /// Puts what was read in force, or says why not.
    async fn consider(&self, state: &mut State, read: Result<Files, Unreadable>) -> Outcome {
        if fingerprint(&read) == state.set.hash() {
            state.refused = None;
            if self.shown.load().problem.is_some() {
                info!(mappings = state.set.hash(), "the mapping files are those in force again");
            }
            self.show(state, None, self.shown.load().since);
            return self.count(Outcome::Unchanged);
        }
        let Offered { fingerprint: found, checked } = blocking(move || Offered::of(read)).await;
        let fit = match checked {
            Ok(fit) => fit,
            Err(unfit) => return self.refused(state, found, &unfit),
        };
        match build(&self.around, Arc::clone(&fit.set)).await {
            Err(flaws) => self.refused(state, found, &Unfit::Verify(flaws)),
            Ok((doors, secrets)) => {
                let (old, new) = (Arc::clone(&state.set), Arc::clone(&fit.set));
                self.install(state, fit.set, doors, secrets);
                info!(
                    mappings = new.hash(),
                    sources = new.len(),
                    added = %names_only_in(&new, &old),
                    removed = %names_only_in(&old, &new),
                    warnings = fit.reports.iter().map(|report| report.problems.len()).sum::<usize>(),
                    "new mappings are in force"
                );
                state.to_keep = Some(fit.files);
                self.keep_what_waits(state, Tell::Yes).await;
                Outcome::Taken
            }
        }
    }

    /// From here on requests meet the new set.
    fn install(&self, state: &mut State, set: Arc<Set>, doors: Doors, secrets: SecretFiles) {
        self.around.intake.install(doors);
        let info = &self.around.metrics.mappings_info;
        let old = self.shown.load().hash.clone();
        if old != set.hash() && info.remove_label_values(&[&old]).is_err() {
            debug!("there was no set before");
        }
        info.with_label_values(&[set.hash()]).set(1);
        state.set = set;
        state.secrets = secrets;
        state.refused = None;
        let now = self.around.clock.now();
        self.around
            .metrics
            .mappings_last_reload_success_timestamp_seconds
            .with_label_values::<&str>(&[])
            .set(now.as_second());
        self.show(state, None, now);
        self.count(Outcome::Taken);
    }

    fn refused(&self, state: &mut State, found: String, unfit: &Unfit) -> Outcome {
        let in_force = self.shown.load().hash.clone();
        error!(
            problems = %unfit.lines().join("; "),
            mappings = %in_force,
            "the mapping files were not taken, the last good set goes on"
        );
        state.refused = Some(found);
        self.show(state, Some(unfit.to_string()), self.shown.load().since);
        self.count(Outcome::of(unfit))
    }

    fn show(&self, state: &State, problem: Option<String>, since: Timestamp) {
        let successful = &self.around.metrics.mappings_last_reload_successful;
        successful.with_label_values::<&str>(&[]).set(i64::from(problem.is_none()));
        let hash = state.set.hash().to_owned();
        self.shown.store(Arc::new(InForce { hash, since, problem }));
    }

    fn count(&self, outcome: Outcome) -> Outcome {
        self.around.metrics.mappings_reloads_total.with_label_values(&[outcome.as_str()]).inc();
        outcome
    }

    /// Opens the sources in force with the secrets as they are now.
    async fn reopen(&self, state: &mut State) {
        match build(&self.around, Arc::clone(&state.set)).await {
            Ok((doors, secrets)) => {
                self.around.intake.install(doors);
                state.secrets = secrets;
                info!("a secret file changed, what stands in it is in force");
            }
            Err(flaws) => error!(
                problems = %Unfit::Verify(flaws),
                "a secret file changed, and the sources could not be opened with it"
            ),
        }
    }

    /// Opens the sources in force again, with nothing of what their senders gave them.
    pub async fn open_again(&self) {
        let mut state = self.state.lock().await;
        if let Ok((doors, secrets)) = build(&self.around, Arc::clone(&state.set)).await {
            self.around.intake.install(doors);
            state.secrets = secrets;
        }
    }

    async fn keep_what_waits(&self, state: &mut State, tell: Tell) {
        let Some(files) = state.to_keep.take() else { return };
        if let Err(error) = self.around.store.keep_mappings(files.clone()).await {
            state.to_keep = Some(files);
            match tell {
                Tell::Yes => error!(
                    %error,
                    "the mappings in force could not be kept in the store; tried again until they are"
                ),
                Tell::No => debug!(%error, "the mappings in force could still not be kept"),
            }
        }
    }

    async fn secrets_now(&self, state: &State) -> SecretFiles {
        let (known, source) = (state.secrets.clone(), Arc::clone(&self.around.secrets));
        blocking(move || known.now(&*source)).await
    }

    /// Reads until two readings agree: a folder that is replaced meanwhile would give a mixture.
    async fn read_unmixed(&self) -> Result<Files, Unreadable> {
        let mut read = self.read().await;
        for _ in 0..MOST_READINGS {
            let again = self.read().await;
            let agree = fingerprint(&read) == fingerprint(&again);
            read = again;
            if agree {
                break;
            }
        }
        read
    }

    async fn read(&self) -> Result<Files, Unreadable> {
        let Some(folder) = self.folder.clone() else { return Ok(Vec::new()) };
        blocking(move || environment::mapping_files(&folder)).await
    }
}

/// Whether a failure is told, or was told already.
#[derive(Debug, Clone, Copy)]
enum Tell {
    Yes,
    No,
}

/// Opens every source of a set, away from the threads that serve; and what its secret files held.
async fn build(around: &Surroundings, set: Arc<Set>) -> Result<(Doors, SecretFiles), Vec<Flaw>> {
    let (secrets, metrics) = (Arc::clone(&around.secrets), Arc::clone(&around.metrics));
    if set.iter().any(|source| source.reads_phones()) {
        // It takes tens of milliseconds once, and the first webhook is not to wait for it.
        tokio::task::spawn_blocking(warm_phone_metadata);
    }
    blocking(move || {
        let remembering = Remembering::new(&*secrets);
        let doors = Doors::build(set.iter().cloned(), &remembering, &metrics)?;
        Ok((doors, remembering.into_files()))
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(broken) => match broken.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}

fn names_only_in(one: &Set, other: &Set) -> String {
    let only = one.iter().filter(|source| other.get(source.name.as_str()).is_none());
    only.map(|source| source.name.as_str()).collect::<Vec<_>>().join(",")
}
