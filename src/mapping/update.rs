//! `update:`: what is to change.

use super::Held;
use super::attributes::Attributes;
use super::explain::{Becomes, field};
use super::expr::{Expr, Path, Reading, Scope, looks_like_path};
use super::syntax::{Code, Fields, Node, Problem, Problems};
use super::tags::{self, Sync, TagList};
use crate::contact::{ContactUpdate, TagChange};

/// What a rule changes.
#[derive(Debug, Default)]
pub(super) struct Update {
    name: Option<Expr>,
    mobile: Option<Expr>,
    optin: Option<Expr>,
    incoming_blocked: Option<Expr>,
    tags: Option<TagList>,
    tags_to_add: Option<TagList>,
    tags_to_remove: Option<TagList>,
    tags_sync: Option<Sync>,
    attributes: Attributes,
}

/// Whether a rule has a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is applied to every event.
    Always,
    /// It has a condition.
    OnCondition,
}

impl Update {
    pub(super) fn read(
        node: &Node,
        asked: Asked,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut fields = Fields::of(node, problems)?;
        let mut one = |name| {
            let node = fields.take(name)?;
            tags::refuse_remove(node, problems);
            Expr::read(node, reading, problems)
        };
        let (name, mobile) = (one("name"), one("mobile"));
        let incoming_blocked = one("incoming_blocked");
        let optin = fields.take("optin").and_then(|node| {
            consent(node, asked, problems);
            tags::refuse_remove(node, problems);
            Expr::read(node, reading, problems)
        });
        let replaced = fields.take_with_key("tags").map(|(key, node)| {
            problems.add(Problem::warning(
                Code::ReplacesTags,
                &key.span,
                "`tags` replaces all tags of the contact, also those that others have set",
                "`tags_to_add` and `tags_to_remove` change only these",
            ));
            TagList::read(node, reading, problems)
        });
        let (add, remove) = (fields.take("tags_to_add"), fields.take("tags_to_remove"));
        tags::warn(add, remove, problems);
        let mut list = |node: Option<&Node>| {
            let node = node?;
            tags::refuse_remove(node, problems);
            Some(TagList::read(node, reading, problems))
        };
        let (tags_to_add, tags_to_remove) = (list(add), list(remove));
        let tags_sync =
            fields.take("tags_sync").and_then(|node| Sync::read(node, reading, problems));
        let mut attributes = Attributes::default();
        if let Some(node) = fields.take("attributes") {
            attributes.read_named(node, reading, problems);
        }
        if let Some(node) = fields.take("attributes_from") {
            attributes.read_found(node, reading, problems);
        }
        fields.finish(problems);
        Some(Self {
            name,
            mobile,
            optin,
            incoming_blocked,
            tags: replaced,
            tags_to_add,
            tags_to_remove,
            tags_sync,
            attributes,
        })
    }

    /// Whether it sets the mobile number.
    pub(super) const fn reads_mobile(&self) -> bool {
        self.mobile.is_some()
    }

    /// The tags that stand in the file as they are.
    pub(super) fn tags(&self) -> impl Iterator<Item = &str> {
        let lists = [&self.tags, &self.tags_to_add, &self.tags_to_remove];
        let listed = lists.into_iter().flatten().flat_map(TagList::literals);
        listed.chain(self.tags_sync.iter().flat_map(Sync::literals))
    }

    /// Whether a tag may be another than those.
    pub(super) fn takes_tags(&self) -> bool {
        let lists = [&self.tags, &self.tags_to_add, &self.tags_to_remove];
        lists.into_iter().flatten().any(TagList::takes_names)
    }

    /// Whether the name of an attribute comes from the event.
    pub(super) fn takes_attributes(&self) -> bool {
        self.attributes.takes_names()
    }

    /// The attributes whose names stand in the file.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.names()
    }

    /// Hands over every path that is read.
    pub(super) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        let values = [&self.name, &self.mobile, &self.optin, &self.incoming_blocked];
        for value in values.into_iter().flatten() {
            value.each_path(then);
        }
        for list in [&self.tags, &self.tags_to_add, &self.tags_to_remove].into_iter().flatten() {
            list.each_path(then);
        }
        if let Some(sync) = &self.tags_sync {
            sync.each_path(then);
        }
        self.attributes.each_path(then);
    }

    /// The change for one event or item; held where a value cannot be had.
    pub(super) fn make(
        &self,
        scope: &Scope<'_>,
        country: Option<phonenumber::country::Id>,
    ) -> Result<ContactUpdate, Held> {
        Ok(ContactUpdate {
            name: made(scope, "update.name", self.name.as_ref(), |value| value.text(scope))?,
            mobile: made(scope, "update.mobile", self.mobile.as_ref(), |value| {
                value.mobile(scope, country)
            })?,
            optin: made(scope, "update.optin", self.optin.as_ref(), |value| value.truth(scope))?,
            incoming_blocked: made(
                scope,
                "update.incoming_blocked",
                self.incoming_blocked.as_ref(),
                |value| value.truth(scope),
            )?,
            tags: self.tag_change(scope)?,
            attributes: self.attributes.changes(scope)?,
        })
    }

    fn tag_change(&self, scope: &Scope<'_>) -> Result<TagChange, Held> {
        let list = |name: &str, list: &Option<TagList>| {
            let tags = made(scope, name, list.as_ref(), |list| {
                let tags = list.texts(scope)?;
                Ok((!tags.is_empty()).then_some(tags))
            });
            tags.map(Option::unwrap_or_default)
        };
        let replace =
            made(scope, "update.tags", self.tags.as_ref(), |tags| tags.replacement(scope))?;
        let mut add = list("update.tags_to_add", &self.tags_to_add)?;
        let mut remove = list("update.tags_to_remove", &self.tags_to_remove)?;
        let synced = made(scope, "update.tags_sync", self.tags_sync.as_ref(), |sync| {
            sync.changes(scope).map(Some)
        })?;
        if let Some((there, not_there)) = synced {
            add.extend(there);
            remove.extend(not_there);
        }
        Ok(TagChange::of(replace, add, remove))
    }
}

/// One field of those that the rule has.
fn made<E, T: Becomes>(
    scope: &Scope<'_>,
    name: &str,
    value: Option<&E>,
    make: impl FnOnce(&E) -> Result<Option<T>, Held>,
) -> Result<Option<T>, Held> {
    value.map_or(Ok(None), |value| field(scope, name, || make(value)))
}

/// Warns of consent that is given to all, or read from a bare path.
fn consent(node: &Node, asked: Asked, problems: &mut Problems) {
    let bare = node.as_text().is_some_and(|text| looks_like_path(text) && !text.contains('|'));
    let always = asked == Asked::Always && node.as_text() == Some("true");
    let (message, help) = if always {
        (
            "`optin: true` in a rule without a condition: every event would count as consent",
            "a `when` that says that the person agreed",
        )
    } else if bare {
        (
            "`optin` from a bare path: a box that is not ticked would withdraw consent given elsewhere",
            "`| bool(yes=[true])` says which values are consent; anything else is left as it is",
        )
    } else {
        return;
    };
    problems.add(Problem::warning(Code::Consent, &node.span, message, help));
}
