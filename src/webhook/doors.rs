//! The sources as the door knows them: one table, swapped as a whole.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::explained::Allowance;
use super::head::Head;
use super::meters::Meters;
use super::pace::{Bucket, Rate};
use super::respond::{Respond, respond_of};
use super::verify::{MissingSecret, SecretSource, Verifier, VerifySpec};
use crate::mapping::Source;
use crate::mapping::syntax::{Code, Problem, Problems};
use crate::telemetry::metrics::Metrics;

/// Headers that are never kept and never shown to rules, whoever asks.
const CREDENTIALS: &[&str] = &["authorization", "proxy-authorization", "cookie"];

/// All sources, by name.
#[derive(Default)]
pub struct Doors {
    pub(super) by_name: HashMap<Box<str>, Arc<Door>>,
}

/// One source, ready to take requests, or closed.
pub(super) struct Door {
    pub(super) source: Arc<Source>,
    /// What requests are held against; what is missing where the source is closed.
    pub(super) verifier: Result<Verifier, NotReady>,
    pub(super) meters: Meters,
    /// What senders are told in place of the usual answer.
    pub(super) respond: Option<Arc<Respond>>,
    /// What is left of `per_minute`.
    pub(super) pace: Option<(Rate, Arc<Bucket>)>,
    /// The headers that are kept, in lower case.
    headers: Vec<String>,
    /// When it was last found out why a request was not believed.
    pub(super) explained: Allowance,
}

/// Why a source is closed: what it lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// A secret.
    #[error(transparent)]
    Secret(#[from] MissingSecret),
    /// The URL that its sender signs cannot be known.
    #[error("its sender signs the URL: say in `server.public_url` where senders reach the bridge")]
    PublicUrl,
}

/// A source whose `verify` or `respond` cannot be used.
#[derive(Debug)]
pub struct Flaw {
    /// The source.
    pub source: Arc<Source>,
    /// What is wrong, with its place in the source's file.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems: Vec<_> = self.problems.iter().map(|problem| &*problem.message).collect();
        write!(f, "{}: {}", self.source.file, problems.join(", "))
    }
}

impl Doors {
    /// Reads `verify` of every source and fetches the secrets. A source whose secret is missing is closed; one
    /// whose `verify` or `respond` cannot be read makes all of them fail.
    pub fn build(
        sources: impl IntoIterator<Item = Arc<Source>>,
        secrets: &dyn SecretSource,
        metrics: &Metrics,
    ) -> Result<Self, Vec<Flaw>> {
        let (mut read, mut flaws) = (Vec::new(), Vec::new());
        for source in sources {
            match (verify_of(&source), respond_of(source.respond.as_ref())) {
                ((Some(spec), _), Ok(respond)) => read.push((source, spec, respond)),
                ((None, problems), _) | (_, Err(problems)) => {
                    flaws.push(Flaw { source, problems });
                }
            }
        }
        if !flaws.is_empty() {
            return Err(flaws);
        }
        let door = |(source, spec, respond): (Arc<Source>, VerifySpec, Option<Arc<Respond>>)| {
            let name = source.name.as_str().into();
            (name, Arc::new(Door::new(source, spec.resolve(secrets), respond, metrics)))
        };
        Ok(Self { by_name: read.into_iter().map(door).collect() })
    }

    /// Closes the sources whose senders sign the URL: nobody has said what it is.
    pub(super) fn without_public_url(&mut self) {
        let doors = self.by_name.values_mut().filter_map(Arc::get_mut);
        for door in doors.filter(|door| door.verifier.as_ref().is_ok_and(Verifier::signs_url)) {
            door.verifier = Err(NotReady::PublicUrl);
        }
    }

    /// Goes on with the budgets as they are in the old set: a reload is no new minute.
    pub(super) fn keep_paces(&mut self, old: &Self) {
        for (name, door) in &mut self.by_name {
            let before = old.by_name.get(name).and_then(|old| old.pace.as_ref());
            if let (Some(door), Some((_, bucket))) = (Arc::get_mut(door), before)
                && let Some((_, own)) = &mut door.pace
            {
                *own = Arc::clone(bucket);
            }
        }
    }

    /// The sources, and what each of those that are closed lacks.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<Source>, Option<&NotReady>)> {
        self.by_name.values().map(|door| (&door.source, door.verifier.as_ref().err()))
    }

    /// The sources that are closed, and what each of them lacks.
    pub fn closed(&self) -> impl Iterator<Item = (&Arc<Source>, &NotReady)> {
        self.by_name.values().filter_map(|door| Some((&door.source, door.verifier.as_ref().err()?)))
    }
}

/// What `verify` of a source says, and what is wrong with it.
pub fn verify_of(source: &Source) -> (Option<VerifySpec>, Vec<Problem>) {
    let mut problems = Problems::default();
    let spec = source.verify.as_ref().and_then(|node| VerifySpec::read(node, &mut problems));
    if source.verify.is_none() {
        problems.add(
            Problem::error(Code::MissingKey, 0..0, "`verify` is missing here")
                .help("say `verify: none` where anybody may post"),
        );
    }
    let spec = spec.filter(|_| !problems.has_errors());
    (spec, problems.into_sorted())
}

impl Door {
    fn new(
        source: Arc<Source>,
        verifier: Result<Verifier, MissingSecret>,
        respond: Option<Arc<Respond>>,
        metrics: &Metrics,
    ) -> Self {
        let verifier = verifier.map_err(NotReady::from);
        let verifying = verifier.as_ref().map(Verifier::headers).unwrap_or_default();
        let kept =
            |name: &&String| !CREDENTIALS.contains(&name.as_str()) && !verifying.contains(name);
        let headers = source.headers.iter().filter(kept).cloned().collect();
        let meters = Meters::of(&source, metrics);
        let pace = source.per_minute.map(|most| (Rate::per_minute(most), Arc::default()));
        Self { source, verifier, meters, respond, pace, headers, explained: Allowance::default() }
    }

    /// The headers that rules read and the store keeps: those the source names, never a credential.
    pub(super) fn kept_headers(&self, head: &Head) -> Vec<(String, String)> {
        let kept = |(name, _): &(&str, &str)| self.headers.iter().any(|own| own == name);
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        head.headers.iter().filter(kept).map(owned).collect()
    }
}
