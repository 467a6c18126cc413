//! What a field became, in the words of mapping files.

use std::fmt;

use super::trace::{Gave, What};
use crate::contact::{AttributeChange, Mobile, Who};
use crate::document::{Members, Value};
use crate::mapping::Held;
use crate::mapping::expr::Scope;

/// Something that a field can become.
pub(in crate::mapping) trait Becomes {
    /// What is noted of it.
    fn gave(&self) -> Gave;
}

impl Becomes for String {
    fn gave(&self) -> Gave {
        Gave::Value(Value::text(self.as_str()))
    }
}

impl Becomes for Mobile {
    fn gave(&self) -> Gave {
        Gave::Value(Value::text(self.as_str()))
    }
}

impl Becomes for bool {
    fn gave(&self) -> Gave {
        Gave::Value(Value::Bool(*self))
    }
}

impl Becomes for Vec<String> {
    fn gave(&self) -> Gave {
        Gave::Value(Value::List(self.iter().map(|text| Value::text(text.as_str())).collect()))
    }
}

impl Becomes for AttributeChange {
    fn gave(&self) -> Gave {
        match self {
            Self::Set(value) => value.gave(),
            Self::Remove => Gave::Remove,
        }
    }
}

impl Becomes for Who {
    fn gave(&self) -> Gave {
        match self {
            Self::Id(id) => id.as_str().to_owned().gave(),
            Self::Mobile(mobile) => mobile.gave(),
            Self::Attribute { value, .. } => value.gave(),
        }
    }
}

/// `tags_sync`: what is added and what is removed.
impl Becomes for (Vec<String>, Vec<String>) {
    fn gave(&self) -> Gave {
        let mut members = Members::new();
        for (name, tags) in [("tags_to_add", &self.0), ("tags_to_remove", &self.1)] {
            if let (Gave::Value(tags), false) = (tags.gave(), tags.is_empty()) {
                members.insert(name.into(), tags);
            }
        }
        if members.is_empty() { Gave::Absent } else { Gave::Value(Value::Object(members)) }
    }
}

/// Makes a field and notes it; what holds it names the field.
pub(in crate::mapping) fn field<T: Becomes>(
    scope: &Scope<'_>,
    name: impl fmt::Display,
    make: impl FnOnce() -> Result<Option<T>, Held>,
) -> Result<Option<T>, Held> {
    let named = || make().map_err(|held| held.at(&format!("`{name}`")));
    note_field(scope, &name, named)
}

/// Makes a field and notes it.
pub(in crate::mapping) fn note_field<T: Becomes>(
    scope: &Scope<'_>,
    name: impl fmt::Display,
    make: impl FnOnce() -> Result<Option<T>, Held>,
) -> Result<Option<T>, Held> {
    scope.note(make, |made| What::Field {
        field: name.to_string(),
        gave: match made {
            Err(held) => Gave::Held(held.clone()),
            Ok(None) => Gave::Absent,
            Ok(Some(value)) => value.gave(),
        },
    })
}
