//! A rule: when it applies, to whom, and what changes.

use std::sync::Arc;

use super::contact::{Contact, Found, WAYS};
use super::explain::{Came, What};
use super::expr::{Expr, Lets, Path, Reading, Scope};
use super::plan::{Decision, Planned};
use super::syntax::{Code, Fields, Node, Problem, Problems, merged, scalar};
use super::update::{Asked, Update};
use super::{Held, When, lets};
use crate::contact::{HeldReason, PlannedUpdate};
use crate::document::Value;

/// Items that a rule takes where it does not say.
const LIMIT: u32 = 1000;
/// Items that a rule may say it takes.
pub(super) const MOST: u32 = 10_000;
/// Updates of one event; each has its place in 16 bits.
const MOST_OF_AN_EVENT: usize = 60_000;

/// A rule of a file.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: Arc<str>,
    for_each: Option<Path>,
    limit: usize,
    lets: Vec<Expr>,
    /// All must hold: those of `defaults`, then its own.
    when: Vec<When>,
    contact: Contact,
    update: Update,
}

/// What every rule starts from that does not say `inherit: false`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Defaults<'n> {
    when: Option<&'n Node>,
    contact: Option<&'n Node>,
    update: Option<&'n Node>,
}

/// Whether a rule matched, so that under `match: first` no other is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matched {
    /// Its condition holds or cannot be evaluated.
    Yes,
    /// Its condition does not hold.
    No,
}

impl<'n> Defaults<'n> {
    pub(super) fn read(node: &'n Node, problems: &mut Problems) -> Self {
        let Some(mut fields) = Fields::of(node, problems) else { return Self::default() };
        let found = Self {
            when: fields.take("when"),
            contact: fields.take("contact"),
            update: fields.take("update"),
        };
        fields.finish(problems);
        found
    }

    /// Reads what rules may replace, so that what is wrong there is seen.
    pub(super) fn check(&self, reading: &Reading<'_>, problems: &mut Problems) {
        let names = reading.names.clone().with_item();
        let reading = Reading { names: &names, ..*reading };
        if let Some(node) = self.when {
            When::read(node, &reading, problems);
        }
        if let Some(node) = self.update {
            Update::read(node, Asked::OnCondition, &reading, problems);
        }
    }
}

impl Rule {
    pub(super) fn read(
        node: &Node,
        defaults: Defaults<'_>,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) -> Option<(Self, Asked)> {
        let mut fields = Fields::of(node, problems)?;
        let name = fields.need("name", problems).and_then(|node| rule_name(node, problems));
        let inherit = fields.take("inherit").and_then(|node| scalar::boolean(node, problems));
        let defaults = if inherit == Some(false) { Defaults::default() } else { defaults };

        let for_each = fields.take("for_each");
        let for_each_path = for_each.and_then(|node| for_each_of(node, reading, problems));
        let limit = fields.take("limit").and_then(|node| scalar::number(node, 1, MOST, problems));
        let mut names = reading.names.clone();
        if for_each.is_some() {
            names = names.with_item();
        }
        let mut values = Vec::new();
        if let Some(node) = fields.take("let") {
            (names, values) = lets::read(node, &Reading { names: &names, ..*reading }, problems);
        }

        let reading = Reading { names: &names, ..*reading };
        let conditions = defaults.when.into_iter().chain(fields.take("when")).collect::<Vec<_>>();
        let asked = if conditions.is_empty() { Asked::Always } else { Asked::OnCondition };
        let when = conditions
            .into_iter()
            .filter_map(|node| When::read(node, &reading, problems))
            .collect();
        let mut block = |name: &'static str, under: Option<&Node>, exclusive| {
            let found = match (under, fields.take(name)) {
                (Some(under), Some(own)) => Some(merged(under, own, exclusive)),
                (under, own) => own.or(under).cloned(),
            };
            if found.is_none() {
                let message = format!("`{name}` is missing here");
                let missing = Problem::error(Code::MissingKey, fields.span().clone(), message);
                fields.miss(&[name], missing, problems);
            }
            found
        };
        let (contact, update) =
            (block("contact", defaults.contact, WAYS), block("update", defaults.update, &[]));
        let contact = contact.and_then(|node| Contact::read(&node, &reading, problems));
        let update = update.and_then(|node| Update::read(&node, asked, &reading, problems));
        fields.finish(problems);
        let rule = Self {
            name: name?,
            for_each: for_each_path,
            limit: usize::try_from(limit.unwrap_or(LIMIT)).unwrap_or(usize::MAX),
            lets: values,
            when,
            contact: contact?,
            update: update?,
        };
        Some((rule, asked))
    }

    /// Whether it gives one update for each item, and none where there are none.
    pub(super) const fn goes_through_items(&self) -> bool {
        self.for_each.is_some()
    }

    /// Whether a field of the rule is a mobile number.
    pub(super) fn reads_mobile(&self) -> bool {
        self.contact.reads_mobile() || self.update.reads_mobile()
    }

    /// The tags that the rule names.
    pub(super) fn tags(&self) -> impl Iterator<Item = &str> {
        self.update.tags()
    }

    /// Whether a tag of the rule may come from the event.
    pub(super) fn takes_tags(&self) -> bool {
        self.update.takes_tags()
    }

    /// Whether the name of an attribute of the rule may come from the event.
    pub(super) fn takes_attributes(&self) -> bool {
        self.update.takes_attributes()
    }

    /// The attributes that the rule names, to change them or to find a contact.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.update.attributes().chain(self.contact.attributes())
    }

    /// The attributes by which it finds contacts.
    pub(super) fn looks_up(&self) -> impl Iterator<Item = &str> {
        self.contact.attributes()
    }

    /// Hands over every path that is read.
    pub(super) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        if let Some(path) = &self.for_each {
            then(path);
        }
        self.lets.iter().for_each(|value| value.each_path(then));
        self.when.iter().for_each(|when| when.each_path(then));
        self.contact.each_path(then);
        self.update.each_path(then);
    }

    /// Applies the rule to one event, once or once for each item.
    pub(super) fn apply(
        &self,
        scope: &Scope<'_>,
        country: Option<phonenumber::country::Id>,
        planned: &mut Vec<Planned>,
    ) -> Matched {
        scope.note(
            || self.apply_to(scope, country, planned),
            |_| What::Rule { rule: Arc::clone(&self.name) },
        )
    }

    fn apply_to(
        &self,
        scope: &Scope<'_>,
        country: Option<phonenumber::country::Id>,
        planned: &mut Vec<Planned>,
    ) -> Matched {
        let before = planned.len();
        let Some(path) = &self.for_each else {
            let decision = self.decide(0, scope, country);
            planned.extend(decision.map(|decision| self.planned(0, decision)));
            return matched(before, planned);
        };
        match path.select(scope) {
            Err(held) => planned.push(self.planned(0, Decision::Held(held.at("`for_each`")))),
            Ok(items) if items.len() > self.limit.min(MOST_OF_AN_EVENT.saturating_sub(before)) => {
                planned.extend(self.too_many(&items, &scope.unnoted()));
            }
            Ok(items) => {
                for (item, place) in items.into_iter().zip(0..) {
                    let decision = self.decide(place, &scope.with_item(item), country);
                    planned.extend(decision.map(|decision| self.planned(place, decision)));
                }
            }
        }
        matched(before, planned)
    }

    /// What comes of it for one item; nothing where its condition does not hold.
    fn decide(
        &self,
        item: u32,
        scope: &Scope<'_>,
        country: Option<phonenumber::country::Id>,
    ) -> Option<Decision> {
        scope.note_item(
            || self.decide_for(scope, country),
            |decision| What::Item {
                item,
                came: match decision {
                    None => Came::NotMatched,
                    Some(Decision::Update(_)) => Came::Planned,
                    Some(Decision::Held(held)) => Came::Held(held.clone()),
                    Some(Decision::Skipped(reason)) => Came::Skipped(*reason),
                    Some(Decision::NoEffect) => Came::NoEffect,
                },
            },
        )
    }

    fn decide_for(
        &self,
        scope: &Scope<'_>,
        country: Option<phonenumber::country::Id>,
    ) -> Option<Decision> {
        let lets = Lets::new(&self.lets);
        let scope = scope.with_rule_lets(&lets);
        match self.holds(&scope) {
            Ok(false) => return None,
            Ok(true) => {}
            Err(held) => return Some(Decision::Held(held)),
        }
        let target = match self.contact.find(&scope, country) {
            Err(held) => return Some(Decision::Held(held)),
            Ok(Found::Skipped(reason)) => return Some(Decision::Skipped(reason)),
            Ok(Found::Target(target)) => target,
        };
        Some(match self.update.make(&scope, country) {
            Err(held) => Decision::Held(held),
            Ok(update) if update.is_empty() => Decision::NoEffect,
            Ok(update) => Decision::Update(Box::new(PlannedUpdate::new(target, update))),
        })
    }

    /// Whether the condition holds: one part that does not makes it no, whatever the others are.
    fn holds(&self, scope: &Scope<'_>) -> Result<bool, Held> {
        let (mut unclear, mut fails) = (None, false);
        for when in &self.when {
            match when.holds(scope) {
                Ok(true) => {}
                Ok(false) if scope.is_noted() => fails = true,
                Ok(false) => return Ok(false),
                Err(held) => unclear = unclear.or(Some(held)),
            }
        }
        match unclear {
            _ if fails => Ok(false),
            None => Ok(true),
            Some(held) => Err(Held::new(HeldReason::Condition, held.detail).at("`when`")),
        }
    }

    /// More items than the limit: one is held, if the rule is for any of them.
    fn too_many(&self, items: &[&Value], scope: &Scope<'_>) -> Option<Planned> {
        let wanted = items.iter().any(|item| {
            let lets = Lets::new(&self.lets);
            self.holds(&scope.with_item(item).with_rule_lets(&lets)) != Ok(false)
        });
        wanted.then(|| {
            let detail = format!(
                "`for_each` selects {} items, more than `limit: {}` or than one event may give",
                items.len(),
                self.limit
            );
            self.planned(0, Decision::Held(Held::new(HeldReason::Limit, detail)))
        })
    }

    fn planned(&self, item: u32, decision: Decision) -> Planned {
        Planned { rule: Arc::clone(&self.name), item, decision }
    }
}

/// Whether a rule has given anything.
fn matched(before: usize, planned: &[Planned]) -> Matched {
    if planned.len() > before { Matched::Yes } else { Matched::No }
}

/// A rule's name, which stands in addresses, metrics and the names of updates.
fn rule_name(node: &Node, problems: &mut Problems) -> Option<Arc<str>> {
    let name = scalar::text(node, "a name", problems)?;
    let stands = |c: char| !c.is_control() && c != '/' && !c.is_whitespace();
    if name.len() > 100 || !name.chars().all(stands) {
        let problem = Problem::error(
            Code::Name,
            node.span.clone(),
            format!("`{name}` is no name for a rule"),
        );
        problems.add(problem.help("at most 100 letters, digits, `-` and `_`"));
    }
    Some(name.into())
}

fn for_each_of(node: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Option<Path> {
    let path = scalar::path(node, reading.names, problems)?;
    if path.is_singular() {
        let problem = Problem::error(
            Code::Path,
            node.span.clone(),
            "`for_each` goes through what a path selects, and this one selects one value at most",
        );
        problems.add(problem.help(format!("`{}[*]` selects the items of a list", path.text())));
    }
    Some(path)
}
