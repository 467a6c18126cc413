//! The trials: each form of each setting, said and looked for.

use super::{Prober, Tags, Trial, Trials, Verdict};
use crate::chatflow::{
    AttributesForm, Contact, Failure, NewContact, OnDuplicatePlace, TagChangesForm, WireSettings,
};
use crate::contact::{AttributeChange, ContactUpdate, TagChange};

impl Prober {
    pub(super) async fn attributes(&self) -> Result<Trials<AttributesForm>, Failure> {
        let Some(name) = &self.attribute else {
            return Ok(Err(
                "the contact has no attribute: name one that exists with `--attribute`".to_owned(),
            ));
        };
        let mut trials = Vec::new();
        for (number, &form) in (1..).zip(AttributesForm::ALL) {
            let wire = WireSettings { attributes: form, ..WireSettings::default() };
            let value = format!("chatflow-bridge probe {number}");
            let set = attribute(name, AttributeChange::Set(value.clone()));
            let verdict =
                self.say(wire, &set, |shown| shown.attribute(name) == Some(value.as_str())).await?;
            if verdict == Verdict::Works {
                // Whether it is back is looked at in the end.
                let back = attribute(name, self.attribute_before(name));
                self.say(wire, &back, |_| true).await?;
            } else {
                self.put_back().await?;
            }
            trials.push(Trial { form, verdict });
        }
        Ok(Ok(trials))
    }

    pub(super) async fn tag_changes(&self) -> Result<Trials<TagChangesForm>, Failure> {
        let Some(tags) = &self.tags else {
            return Ok(Err(
                "the API does not say which tags exist: name two that do with `--tag`".to_owned()
            ));
        };
        let mut trials = Vec::new();
        for &form in TagChangesForm::ALL {
            let wire = WireSettings { tag_changes: form, ..WireSettings::default() };
            let verdict = match tags {
                Tags::Others(tags) => self.tag_change(wire, tags, [true, false]).await?,
                Tags::Own(tags) => self.tag_change(wire, tags, [false, true]).await?,
            };
            if verdict != Verdict::Works {
                self.put_back().await?;
            }
            trials.push(Trial { form, verdict });
        }
        Ok(Ok(trials))
    }

    /// Adds (`true`) or removes the tags, one after the other; the first that does not work decides.
    async fn tag_change(
        &self,
        wire: WireSettings,
        tags: &[String],
        steps: [bool; 2],
    ) -> Result<Verdict, Failure> {
        for adds in steps {
            let change = if adds {
                TagChange { add: tags.to_vec(), ..TagChange::default() }
            } else {
                TagChange { remove: tags.to_vec(), ..TagChange::default() }
            };
            let update = ContactUpdate { tags: change, ..ContactUpdate::default() };
            let has = |shown: &Contact, tag: &String| {
                shown.tags.as_ref().is_some_and(|tags| tags.contains(tag))
            };
            let verdict =
                self.say(wire, &update, |shown| tags.iter().all(|tag| has(shown, tag) == adds));
            match verdict.await? {
                Verdict::Works => {}
                other => return Ok(other),
            }
        }
        Ok(Verdict::Works)
    }

    pub(super) async fn on_duplicate(&self) -> Result<Trials<OnDuplicatePlace>, Failure> {
        let (Some(mobile), Some(optin)) = (&self.mobile, self.before.optin) else {
            return Ok(Err(
                "a look-up by the contact's number does not find just this contact, or its consent is not shown".to_owned(),
            ));
        };
        let mut trials = Vec::new();
        for &place in OnDuplicatePlace::ALL {
            let wire = WireSettings { on_duplicate: place, ..WireSettings::default() };
            let new = NewContact {
                mobile: mobile.clone(),
                // Overwritten, the name would show it.
                name: self.before.name.as_ref().map(|name| format!("{name} (probe)")),
                optin,
                attribute: None,
            };
            let verdict = match self.client.saying(wire).create(&new).await {
                Ok(created) => {
                    let now = self.client.contact(&self.before.id).await?;
                    if created.is_empty() && now.name == self.before.name {
                        Verdict::Works
                    } else {
                        self.put_back().await?;
                        Verdict::PassedOver
                    }
                }
                Err(failure) => refused(failure)?,
            };
            trials.push(Trial { form: place, verdict });
        }
        Ok(Ok(trials))
    }

    /// Sends an update in these forms, and looks at the contact afterwards.
    async fn say(
        &self,
        wire: WireSettings,
        update: &ContactUpdate,
        shows: impl Fn(&Contact) -> bool,
    ) -> Result<Verdict, Failure> {
        match self.client.saying(wire).update(&self.before.id, update).await {
            Ok(_) => {
                let now = self.client.contact(&self.before.id).await?;
                Ok(if shows(&now) { Verdict::Works } else { Verdict::PassedOver })
            }
            Err(failure) => refused(failure),
        }
    }
}

/// A failure that says something about the form; any other is given back.
fn refused(failure: Failure) -> Result<Verdict, Failure> {
    match &failure {
        // An API may stumble over a form that it does not know.
        Failure::Answered { status: 400 | 404..=422 | 500, .. }
        | Failure::Unclear { .. }
        | Failure::Unsayable(_) => Ok(Verdict::Refused(failure.to_string())),
        _ => Err(failure),
    }
}

fn attribute(name: &str, change: AttributeChange) -> ContactUpdate {
    let mut update = ContactUpdate::default();
    update.attributes.insert(name.to_owned(), change);
    update
}
