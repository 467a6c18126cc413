//! A mock that understands one wire form of each that the reference leaves open.

use serde_json::{Map, Value};

use crate::chatflow::{AttributesForm, OnDuplicatePlace, TagChangesForm, WireSettings};

/// The forms that are understood, and what becomes of the others.
#[derive(Debug, Clone, Copy)]
pub struct Understands {
    /// These.
    pub wire: WireSettings,
    /// What becomes of the others.
    pub others: Misread,
}

/// What becomes of a form that is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misread {
    /// It is passed over; the rest of the request is done.
    PassedOver,
    /// The request is refused with 400.
    Refused,
}

impl Understands {
    /// Takes out of an update what is not understood, or says what that is.
    pub(super) fn narrow(self, body: &mut Map<String, Value>) -> Result<(), String> {
        let attributes = |value: &Value| match self.wire.attributes {
            AttributesForm::Array => value.is_array(),
            AttributesForm::JsonString => value.is_string(),
        };
        let tags = |value: &Value| match self.wire.tag_changes {
            TagChangesForm::String => value.is_string(),
            TagChangesForm::Array => value.is_array(),
        };
        let misread = |name: &str, value: &Value| match name {
            "attributes" => !attributes(value),
            "tagsToAdd" | "tagsToRemove" => !tags(value),
            _ => false,
        };
        if self.others == Misread::Refused
            && let Some((name, _)) = body.iter().find(|(name, value)| misread(name, value))
        {
            return Err(format!("{name} has a form that is not understood"));
        }
        body.retain(|name, value| !misread(name, value));
        Ok(())
    }

    /// What is said about contacts that exist; without a word that is understood they are overwritten.
    pub(super) fn on_duplicate<'a>(
        self,
        in_query: Option<&'a str>,
        in_body: Option<&'a str>,
    ) -> Result<Option<&'a str>, String> {
        let (said, other) = match self.wire.on_duplicate {
            OnDuplicatePlace::Query => (in_query, in_body),
            OnDuplicatePlace::Body => (in_body, in_query),
        };
        if self.others == Misread::Refused && other.is_some() {
            return Err("onDuplicate stands where it is not understood".to_owned());
        }
        Ok(Some(said.unwrap_or("overwrite")))
    }
}
