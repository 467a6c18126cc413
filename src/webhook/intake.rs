//! From a request to a stored event: verify, decode, map, store. No HTTP in here.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::Stream;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use super::answer::Answer;
use super::body::{self, Body, Budget};
use super::document::decode_for;
use super::doors::{Door, Doors};
use super::drain::Drain;
use super::explained;
use super::handshake;
use super::head::Head;
use super::meters::Meters;
use super::planned::{new_event, plan};
use super::refusal::Refusal;
use super::refused_log::RefusedLog;
use super::rejected::RejectedList;
use super::settings::IntakeSettings;
use super::strangers::Strangers;
use super::verify::{Payload, Reason, Verdict, Verifier};
use super::visit::{Visit, elapsed_ms};
use crate::clock::SharedClock;
use crate::decode;
use crate::mapping::{PlannedEvent, Source};
use crate::store::{self, Receipt, Store};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::trace::{self, Tracer};

/// Takes requests in. One for the whole program; the sources in force can be swapped at any time.
pub struct Intake {
    doors: ArcSwap<Doors>,
    store: Arc<dyn Store>,
    clock: SharedClock,
    metrics: Arc<Metrics>,
    settings: IntakeSettings,
    budget: Arc<Budget>,
    strangers: Strangers,
    drain: Drain,
    refused_log: RefusedLog,
    rejected: RejectedList,
    unknown: Meters,
    tasks: TaskTracker,
    leaves: AtomicBool,
    tracer: Tracer,
}

impl Intake {
    /// An intake without sources. What it has begun runs in `tasks`, whoever hangs up.
    pub fn new(
        store: Arc<dyn Store>,
        clock: SharedClock,
        metrics: Arc<Metrics>,
        settings: IntakeSettings,
        tasks: TaskTracker,
        tracer: Tracer,
    ) -> Arc<Self> {
        Arc::new(Self {
            doors: ArcSwap::default(),
            store,
            unknown: Meters::unknown(&metrics),
            drain: Drain::default(),
            refused_log: RefusedLog::default(),
            rejected: RejectedList::new(settings.keep_rejected.0, Arc::clone(&clock)),
            metrics,
            budget: Budget::new(settings.max_buffered),
            strangers: Strangers::new(settings.unverified_per_minute),
            clock,
            settings,
            tasks,
            leaves: AtomicBool::new(false),
            tracer,
        })
    }

    /// From now on each answer ends its connection, so that the next request finds a listener that stays.
    pub fn leave(&self) {
        self.leaves.store(true, Ordering::Release);
    }

    pub(super) fn leaves(&self) -> bool {
        self.leaves.load(Ordering::Acquire)
    }

    /// Puts these sources in force, all at once. Requests that are being handled finish with theirs.
    pub fn install(&self, mut doors: Doors) {
        if self.settings.public_url.is_none() {
            doors.without_public_url();
        }
        doors.keep_paces(&self.doors.load());
        let doors = Arc::new(doors);
        let old = self.doors.swap(Arc::clone(&doors));
        for name in old.by_name.keys().filter(|name| !doors.by_name.contains_key(*name)) {
            // Gauges say how things are; where there is nothing any more, they say nothing.
            for gauge in [&self.metrics.source_up, &self.metrics.mappings_rules] {
                if gauge.remove_label_values(&[&**name]).is_err() {
                    debug!(source = %name, "a gauge of a removed source was not there");
                }
            }
        }
        for (name, door) in &doors.by_name {
            let rules = i64::try_from(door.source.rules.len()).unwrap_or(i64::MAX);
            self.metrics.mappings_rules.with_label_values(&[&**name]).set(rules);
            let up = self.metrics.source_up.with_label_values(&[&**name]);
            up.set(i64::from(door.verifier.is_ok()));
            if door.source.body.max.is_some_and(|max| max > self.settings.max_body_ceiling) {
                warn!(source = %name, "`body.max` of a source is above `server.max_body_ceiling`, which counts");
            }
            match &door.verifier {
                Err(missing) => {
                    error!(source = %name, reason = %missing, "a source is closed until what it lacks is there");
                }
                Ok(verifier) if verifier.has_short_secret() => {
                    warn!(source = %name, "the secret of a source has less than 8 bytes and could be guessed");
                }
                Ok(_) => {}
            }
        }
    }

    /// The source of this name, if it is in force.
    pub fn source(&self, name: &str) -> Option<Arc<Source>> {
        self.doors.load().by_name.get(name).map(|door| Arc::clone(&door.source))
    }

    /// The sources in force.
    pub fn doors(&self) -> Arc<Doors> {
        self.doors.load_full()
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(super) fn settings(&self) -> &IntakeSettings {
        &self.settings
    }

    /// Charges a client for a request that was not believed.
    pub(super) fn charge(&self, client: Option<IpAddr>) {
        self.strangers.charge(client, self.clock.monotonic());
    }

    /// How fast the store empties.
    pub(super) const fn drain(&self) -> &Drain {
        &self.drain
    }

    /// After how many seconds a sender should come again that found the store full.
    pub(super) fn come_again(&self) -> u64 {
        let capacity = &self.metrics.queue_capacity_updates;
        self.drain.come_again(capacity.with_label_values::<&str>(&[]).get())
    }

    /// What was not logged of refusals.
    pub(super) const fn refused_log(&self) -> &RefusedLog {
        &self.refused_log
    }

    /// The refused requests that are kept for whoever looks into them.
    pub const fn rejected(&self) -> &RejectedList {
        &self.rejected
    }

    /// The meters of requests that name no source.
    pub(super) fn unknown(&self) -> &Meters {
        &self.unknown
    }

    /// Takes a request in. Once the last byte of the body is there, what was begun goes on even if this is dropped.
    pub async fn receive<S, E>(
        self: &Arc<Self>,
        source: &str,
        head: Head,
        body: &mut S,
    ) -> Result<Answer, Refusal>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let door = self.doors.load().by_name.get(source).cloned();
        let visit = Visit::begin(Arc::clone(self), door, head.client);
        let front = async {
            let door = visit.door.as_deref().ok_or(Refusal::UnknownSource)?;
            if let Some(reply) = self.admit(door, &head)? {
                return Ok(Err(reply));
            }
            let declared = head.headers.first("content-length").and_then(|text| text.parse().ok());
            let timeout = self.settings.request_timeout.0;
            let limit = self.settings.body_limit(door.source.body.max);
            body::receive(body, declared, limit, &self.budget, timeout).await.map(Ok)
        };
        let mut body = match front.await {
            Ok(Ok(body)) => body,
            Ok(Err(reply)) => return visit.end(Ok(Answer::Handshake(reply))),
            Err(refusal) => {
                self.rejected.add(source, &refusal, &head, &Bytes::new());
                return visit.end(Err(refusal));
            }
        };
        let trace = visit.trace(&self.tracer, &head);
        let task = self.tasks.spawn(trace::within(trace, async move {
            drop(trace::step_since("receive", visit.begun));
            let answer = match visit.door.clone() {
                Some(door) => visit.intake.take_in(&door, &head, &mut body, visit.begun).await,
                None => Err(Refusal::UnknownSource),
            };
            if let (Err(refusal), Some(door)) = (&answer, &visit.door) {
                let source = door.source.name.as_str();
                visit.intake.rejected.add(source, refusal, &head, &body.sent);
            }
            visit.end(answer)
        }));
        match task.await {
            Ok(answer) => answer,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Refusal::NotStored(store::Error::Closed)),
            },
        }
    }

    /// What can be checked without the body; a reply where there is nothing more to it.
    fn admit(&self, door: &Door, head: &Head) -> Result<Option<handshake::Reply>, Refusal> {
        if let Ok(verifier) = &door.verifier
            && head.token.is_some()
            && !verifier.takes_path_token()
        {
            return Err(Refusal::UnknownSource);
        }
        if head.method != "POST" {
            let verifier = door.verifier.as_ref().ok();
            let reply = verifier.map(|verifier| handshake::without_body(verifier, head));
            let allow = handshake::allowed(verifier);
            return reply.transpose()?.flatten().ok_or(Refusal::Method { allow }).map(Some);
        }
        let Ok(verifier) = &door.verifier else { return Err(Refusal::Closed) };
        if !verifier.is_shown(head) {
            let may = self.strangers.may(head.client, self.clock.monotonic());
            may.map_err(|wait| Refusal::OverBudget { wait })?;
        }
        if let Verdict::Refused(reason) = verifier.judge_head(head, self.clock.now()) {
            return Err(refused(verifier, reason));
        }
        coding_of(head).map(|_| None)
    }

    /// Goes on only with what is believed; a reply where it is a handshake and no event.
    async fn believe(
        &self,
        door: &Arc<Door>,
        verifier: &Verifier,
        head: &Head,
        body: &Body,
    ) -> Result<Option<handshake::Reply>, Refusal> {
        let now = self.clock.now();
        let payload = Payload { as_sent: &body.sent, inflated: &body.bytes };
        let source = &door.source.name;
        if let Some(reply) = handshake::unsigned(verifier, head, payload.inflated)? {
            return Ok(Some(reply));
        }
        if let Some(offered) = handshake::offered_secret(verifier, head) {
            let kept = self.store.adopt_secret(source, offered).await;
            let kept = kept.map_err(Refusal::NotStored)?;
            verifier.adopt(&kept);
            if kept != offered {
                warn!(%source, "another secret than the one that was kept is not taken");
                return Err(refused(verifier, Reason::Auth));
            }
            return Ok(Some(handshake::secret_taken(offered)));
        }
        if verifier.awaits_secret()
            && let Some(kept) =
                self.store.adopted_secret(source).await.map_err(Refusal::NotStored)?
        {
            verifier.adopt(&kept);
        }
        match verifier.judge(head, payload, now) {
            Verdict::Genuine => handshake::verified(verifier, head, payload, now),
            Verdict::NeedsBody => Err(refused(verifier, Reason::SignatureMissing)),
            Verdict::Refused(reason) => {
                explained::later(door, head, &body.bytes, now, self.clock.monotonic(), &self.tasks);
                Err(refused(verifier, reason))
            }
        }
    }

    /// Inflates, verifies, decodes, maps and stores a request that has arrived.
    async fn take_in(
        &self,
        door: &Arc<Door>,
        head: &Head,
        body: &mut Body,
        begun: Instant,
    ) -> Result<Answer, Refusal> {
        let now = self.clock.now();
        if let Some(coding) = coding_of(head)? {
            body.inflate(coding, self.settings.body_limit(door.source.body.max))?;
        }
        let verifier = door.verifier.as_ref().map_err(|_| Refusal::Closed)?;
        let verify = trace::step("verify");
        if let Some(reply) = self.believe(door, verifier, head, body).await? {
            return Ok(Answer::Handshake(reply));
        }
        drop(verify);
        // Whoever is not believed leaves no trace: a flood of theirs would take the place of those who are.
        trace::keep();
        if let Some((rate, bucket)) = &door.pace {
            let taken = bucket.take(*rate, self.clock.monotonic());
            taken.map_err(|wait| Refusal::OverPace { wait })?;
        }
        let content_type = head.headers.first("content-type");
        let decode = trace::step("decode");
        let document = decode_for(&door.source, content_type, &body.bytes)?;
        drop(decode);
        let request = store::Request {
            method: head.method.clone(),
            content_type: content_type.map(str::to_owned),
            query: decode::query_without(&head.query, verifier.parameters()),
            headers: door.kept_headers(head),
            body: body.bytes.clone(),
        };
        let planned = plan(door, &request, &document, now);
        let answer = self.keep(door, request, planned, begun).await?;
        Ok(answer.in_words_of(door.respond.as_ref()))
    }

    /// Stores what was planned, and says what became of it.
    pub(super) async fn keep(
        &self,
        door: &Door,
        request: store::Request,
        planned: Vec<PlannedEvent>,
        begun: Instant,
    ) -> Result<Answer, Refusal> {
        let size = request.body.len();
        let ids: Vec<_> = planned.iter().map(|event| event.id.clone()).collect();
        let (events, tallies): (Vec<_>, Vec<_>) = planned
            .into_iter()
            .enumerate()
            .map(|(item, event)| new_event(&door.source, item, event))
            .unzip();
        let receipts = if events.is_empty() {
            Vec::new()
        } else {
            let _step = trace::step("store");
            self.store.append(request, events).await.map_err(Refusal::NotStored)?
        };
        door.meters.body(size);
        let elapsed_ms = elapsed_ms(begun);
        let mut answers = Vec::with_capacity(receipts.len());
        for ((tally, receipt), id) in tallies.iter().zip(receipts).zip(&ids) {
            let revived = match receipt {
                Receipt::Duplicate { first, idle: true, .. } => {
                    self.remap(door, first, id.as_deref()).await
                }
                Receipt::Duplicate { .. } | Receipt::Stored(_) => None,
            };
            let answer = revived.unwrap_or_else(|| tally.answer(receipt));
            let (source, event_id) = (&door.source.name, answer.event_id);
            match receipt {
                Receipt::Stored(_) => {
                    door.meters.stored(tally, &self.metrics);
                    if door.source.has_event_id() && id.is_none() && !tally.is_control() {
                        door.meters.without_id(&self.metrics);
                    }
                }
                Receipt::Duplicate { differs: false, .. } => {}
                Receipt::Duplicate { differs: true, .. } if revived.is_some() => {}
                Receipt::Duplicate { differs: true, .. } => {
                    door.meters.differs(&self.metrics);
                    warn!(%source, %event_id, "a repeat differs from the first event of its id");
                }
            }
            info!(
                %source,
                %event_id,
                outcome = answer.status.as_str(),
                updates = answer.updates.unwrap_or(0),
                held = answer.held.unwrap_or(0),
                elapsed_ms,
                "event taken in"
            );
            answers.push(answer);
        }
        if let Some(first) = answers.first() {
            trace::say("event_id", format_args!("{}", first.event_id));
        }
        Ok(Answer::of(answers))
    }
}

/// How the body is packed, where it is.
fn coding_of(head: &Head) -> Result<Option<decode::Coding>, Refusal> {
    let named = head.headers.only("content-encoding").map_err(|_| Refusal::Encoding)?;
    named.map_or(Ok(None), |named| decode::Coding::named(named).map_err(|()| Refusal::Encoding))
}

/// Turns away who is not believed, in the way that the source's sender wants to hear it.
fn refused(verifier: &Verifier, reason: Reason) -> Refusal {
    if handshake::refuses_in_silence(verifier) {
        Refusal::Silent(reason)
    } else {
        Refusal::Unverified(reason)
    }
}
