//! Which wire forms the API understands, tried on one contact that is put back as it was.
//!
//! [`Prober::prepare`] only reads; [`Prober::run`] makes the `trials` and puts back what they changed.

mod trials;

use indexmap::IndexMap;

use super::{
    AttributesForm, Client, Contact, Failure, Field, OnDuplicatePlace, TagChangesForm,
    WireSettings, unconfirmed,
};
use crate::contact::{AttributeChange, ContactId, ContactUpdate, Mobile, TagChange};

/// What came of trying one form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It did what it should.
    Works,
    /// It was answered with a success, and did something else or nothing.
    PassedOver,
    /// It was refused, in these words.
    Refused(String),
}

/// One form of one setting, tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial<T> {
    /// The form.
    pub form: T,
    /// What came of it.
    pub verdict: Verdict,
}

/// The forms of one setting, tried; or why they could not be.
pub type Trials<T> = Result<Vec<Trial<T>>, String>;

/// What came of trying.
#[derive(Debug)]
pub struct Probed {
    /// `chatflow.wire.attributes`.
    pub attributes: Trials<AttributesForm>,
    /// `chatflow.wire.tag_changes`.
    pub tag_changes: Trials<TagChangesForm>,
    /// `chatflow.wire.on_duplicate`.
    pub on_duplicate: Trials<OnDuplicatePlace>,
    /// Fields that could not be put back as they were.
    pub left: Vec<Field>,
}

/// What to try it with; what is left out is chosen.
#[derive(Debug, Clone, Default)]
pub struct With {
    /// An attribute that exists in Chatflow's settings.
    pub attribute: Option<String>,
    /// Tags that exist in Chatflow's settings.
    pub tags: Vec<String>,
}

/// Tags to be tried, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// The contact does not have them: added, then removed.
    Others(Vec<String>),
    /// The contact has them: removed, then added.
    Own(Vec<String>),
}

/// All that has to be known before anything is changed.
pub struct Prober {
    client: Client,
    before: Contact,
    attribute: Option<String>,
    tags: Option<Tags>,
    /// The number under which a look-up finds just this contact.
    mobile: Option<Mobile>,
}

impl Prober {
    /// Reads the contact and the tags that exist.
    ///
    /// # Errors
    ///
    /// The [`Failure`] of the first request that failed.
    pub async fn prepare(client: Client, id: &ContactId, with: With) -> Result<Self, Failure> {
        let before = client.contact(id).await?;
        let shown = before.attributes.iter().flat_map(IndexMap::keys).next().cloned();
        let attribute = with.attribute.or(shown);
        let known =
            if with.tags.is_empty() { client.tags().await?.unwrap_or_default() } else { with.tags };
        let tags = before.tags.as_ref().and_then(|own| tags(own, &known));
        let mobile = match number(&before) {
            Some(mobile) => {
                let found = client.find_by_mobile(&mobile).await?;
                matches!(&found[..], [only] if only.id == before.id).then_some(mobile)
            }
            None => None,
        };
        Ok(Self { client, before, attribute, tags, mobile })
    }

    /// What will be done to the contact, line by line.
    pub fn plan(&self) -> Vec<String> {
        let mut plan = Vec::new();
        if let Some(attribute) = &self.attribute {
            plan.push(format!("attribute `{attribute}` is set and put back"));
        }
        match &self.tags {
            Some(Tags::Others(tags)) => plan.push(format!("added and removed: {}", list(tags))),
            Some(Tags::Own(tags)) => plan.push(format!("removed and added: {}", list(tags))),
            None => {}
        }
        if self.mobile.is_some() {
            plan.push("a contact with its number is created, which must change nothing".to_owned());
        }
        plan
    }

    /// Tries every form, and puts back what that changed.
    ///
    /// # Errors
    ///
    /// A [`Failure`] that says nothing about the forms, such as a refused key or no connection; what was changed
    /// before it is put back all the same, as far as that goes.
    pub async fn run(self) -> Result<Probed, Failure> {
        let tried = self.trials().await;
        let left = self.put_back().await;
        let mut probed = tried?;
        probed.left = left?;
        Ok(probed)
    }

    async fn trials(&self) -> Result<Probed, Failure> {
        Ok(Probed {
            attributes: self.attributes().await?,
            tag_changes: self.tag_changes().await?,
            on_duplicate: self.on_duplicate().await?,
            left: Vec::new(),
        })
    }

    /// The contact as it was, in the words of an update.
    fn as_before(&self) -> ContactUpdate {
        let mut update = ContactUpdate {
            name: self.before.name.clone().filter(|name| !name.is_empty()),
            optin: self.before.optin,
            incoming_blocked: self.before.incoming_blocked,
            tags: TagChange { replace: self.before.tags.clone(), ..TagChange::default() },
            ..ContactUpdate::default()
        };
        if let Some(attribute) = &self.attribute {
            update.attributes.insert(attribute.clone(), self.attribute_before(attribute));
        }
        update
    }

    fn attribute_before(&self, name: &str) -> AttributeChange {
        match self.before.attribute(name) {
            Some(value) if !value.is_empty() => AttributeChange::Set(value.to_owned()),
            _ => AttributeChange::Remove,
        }
    }

    /// Puts back what differs, in each form until none does; gives the fields that still do.
    async fn put_back(&self) -> Result<Vec<Field>, Failure> {
        let (id, before) = (&self.before.id, self.as_before());
        let mut left = unconfirmed(&before, &self.client.contact(id).await?);
        for attributes in AttributesForm::ALL {
            if left.is_empty() {
                break;
            }
            let client =
                self.client.saying(WireSettings { attributes: *attributes, ..Default::default() });
            for field in &left {
                // What cannot be put back is found by looking.
                drop(client.update(id, &only(&before, *field)).await);
            }
            left = unconfirmed(&before, &client.contact(id).await?);
        }
        Ok(left)
    }
}

/// One field of an update alone, so that another that is refused takes nothing from it.
fn only(update: &ContactUpdate, field: Field) -> ContactUpdate {
    let nothing = ContactUpdate::default();
    let update = update.clone();
    match field {
        Field::Name => ContactUpdate { name: update.name, ..nothing },
        Field::Mobile => ContactUpdate { mobile: update.mobile, ..nothing },
        Field::Optin => ContactUpdate { optin: update.optin, ..nothing },
        Field::IncomingBlocked => {
            ContactUpdate { incoming_blocked: update.incoming_blocked, ..nothing }
        }
        Field::Tags => ContactUpdate { tags: update.tags, ..nothing },
        Field::Attributes => ContactUpdate { attributes: update.attributes, ..nothing },
    }
}

/// Two tags that can be tried on a contact with these: two, since one is no list.
fn tags(own: &[String], known: &[String]) -> Option<Tags> {
    let sayable = |tag: &&String| !tag.is_empty() && !tag.contains(',');
    let two = |tags: &mut dyn Iterator<Item = String>| tags.take(2).collect::<Vec<_>>();
    let others = two(&mut known.iter().filter(|tag| !own.contains(tag)).filter(sayable).cloned());
    if !others.is_empty() {
        return Some(Tags::Others(others));
    }
    let own = two(&mut own.iter().filter(sayable).cloned());
    (!own.is_empty()).then_some(Tags::Own(own))
}

/// The whole number of a contact.
fn number(contact: &Contact) -> Option<Mobile> {
    let mobile = contact.mobile.as_deref()?;
    let dialing = contact.country_code.as_deref().unwrap_or_default();
    let whole = [mobile.to_owned(), format!("{dialing}{mobile}")];
    let whole = if mobile.starts_with(dialing) { &whole[0] } else { &whole[1] };
    Mobile::try_from(whole.clone()).ok()
}

fn list(tags: &[String]) -> String {
    let tags: Vec<_> = tags.iter().map(|tag| format!("tag `{tag}`")).collect();
    tags.join(", ")
}
