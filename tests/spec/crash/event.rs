//! An event of the load, and what it says in JSON.

use serde_json::{Map, Value, json};

use super::load::Contact;

/// The mapping of the load's sender.
pub(super) const MAPPING: &str = r"
source: crm
verify: none
event: { id: $.id, type: $.kind }
defaults:
  contact:
    first_of:
      - id: $.to.id
      - mobile: $.to.mobile | phone(e164)
      - attribute: { name: ref, value: $.to.ref }
  update:
    mobile: $.mobile | phone(e164)
    name: $.name
    optin: $.optin
    incoming_blocked: $.blocked
    tags: $.replace # check: allow W006 because the suite owns the tags
    tags_to_add: $.add
    tags_to_remove: $.remove
    attributes:
      by_id: $.steps.by_id
      by_mobile: $.steps.by_mobile
      by_ref: $.steps.by_ref
      last: $.steps.last
      ref: $.ref
      note: $.note
      city: { from: $.city, empty: remove }
      plan: $.plan
      unknown: $.unknown
rules:
  - name: known
    when: { $.kind: known }
  - name: new
    when: { $.kind: new }
    contact: { on_missing: create }
tests:
  - { name: nothing, body: { kind: other }, expect: ignored }
";

/// The attributes that exist in the API's settings: all of the mapping but `unknown`.
pub(super) const ATTRIBUTES: &[&str] =
    &["ref", "by_id", "by_mobile", "by_ref", "last", "city", "plan", "note"];

/// What a gateway before the API dislikes: it answers 403 to a body with it.
pub(super) const DISLIKED: &str = "<script>";

/// How an event names its contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Id,
    Mobile,
    Reference,
}

impl Way {
    pub(super) const ALL: &[Self] = &[Self::Id, Self::Mobile, Self::Reference];

    /// The attribute that counts the events of a contact that come this way.
    pub(super) const fn counter(self) -> &'static str {
        match self {
            Self::Id => "by_id",
            Self::Mobile => "by_mobile",
            Self::Reference => "by_ref",
        }
    }
}

/// What one event says.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each says something else of the event")]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) way: Way,
    /// The number or `ref` that names it, where that is not the contact's first one.
    pub(super) key: Option<String>,
    /// Its place among the events of its line, from 1; 0 where the line does not count.
    pub(super) step: usize,
    /// Whether the contact is made where it is not there.
    pub(super) creates: bool,
    pub(super) mobile: Option<String>,
    /// By which the contact is found from then on.
    pub(super) reference: Option<String>,
    pub(super) name: Option<String>,
    pub(super) optin: Option<bool>,
    pub(super) blocked: Option<bool>,
    pub(super) replace: Option<Vec<String>>,
    pub(super) add: Vec<String>,
    pub(super) remove: Vec<String>,
    /// An empty text removes the attribute.
    pub(super) city: Option<String>,
    pub(super) plan: Option<String>,
    /// It names an attribute that the API does not know: the API refuses the update.
    pub(super) is_refused: bool,
    /// It says what a gateway before the API dislikes.
    pub(super) is_disliked: bool,
    /// An earlier event of the line that is given again before this one.
    pub(super) again: Option<usize>,
    /// It is given twice at once.
    pub(super) twice: bool,
}

impl Event {
    /// An event that says nothing yet.
    pub(super) fn new(id: String, way: Way, step: usize) -> Self {
        Self {
            id,
            way,
            key: None,
            step,
            creates: false,
            mobile: None,
            reference: None,
            name: None,
            optin: None,
            blocked: None,
            replace: None,
            add: Vec::new(),
            remove: Vec::new(),
            city: None,
            plan: None,
            is_refused: false,
            is_disliked: false,
            again: None,
            twice: false,
        }
    }

    /// Whether the API takes none of it but a withdrawal of consent.
    pub(super) fn dies(&self) -> bool {
        self.is_refused || self.is_disliked
    }

    /// As its sender posts it.
    pub(super) fn body(&self, contact: &Contact) -> String {
        let to = match self.way {
            Way::Id => json!({"id": contact.id}),
            Way::Mobile => json!({"mobile": self.key.as_ref().unwrap_or(&contact.mobile)}),
            Way::Reference => json!({"ref": self.key.as_ref().unwrap_or(&contact.reference)}),
        };
        let mut body = Map::new();
        body.insert("id".to_owned(), json!(self.id));
        body.insert("kind".to_owned(), json!(if self.creates { "new" } else { "known" }));
        body.insert("to".to_owned(), to);
        if self.step > 0 {
            let step = self.step.to_string();
            body.insert("steps".to_owned(), json!({self.way.counter(): step, "last": step}));
        }
        let fields = [
            ("mobile", json!(self.mobile)),
            ("ref", json!(self.reference)),
            ("note", json!(self.is_disliked.then_some(DISLIKED))),
            ("name", json!(self.name)),
            ("optin", json!(self.optin)),
            ("blocked", json!(self.blocked)),
            ("replace", json!(self.replace)),
            ("add", json!(self.add)),
            ("remove", json!(self.remove)),
            ("city", json!(self.city)),
            ("plan", json!(self.plan)),
            ("unknown", json!(self.is_refused.then_some("x"))),
        ];
        body.extend(
            fields
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.to_owned(), value)),
        );
        Value::Object(body).to_string()
    }
}
