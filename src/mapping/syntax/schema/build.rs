//! Building a schema: a few words over JSON, so that the parts read as the reference does.

use serde_json::{Map, Value, json};

/// A schema, or a part of one.
#[derive(Debug, Clone)]
pub struct Schema(Map<String, Value>);

/// A block of keys: no others can stand in it.
#[derive(Debug, Clone)]
pub struct Block {
    said: Option<&'static str>,
    keys: Map<String, Value>,
    needed: Vec<&'static str>,
}

impl Schema {
    fn from_json(value: Value) -> Self {
        match value {
            Value::Object(members) => Self(members),
            _ => Self(Map::new()),
        }
    }

    /// A part that has a name of its own.
    pub fn named(name: &str) -> Self {
        Self::from_json(json!({ "$ref": format!("#/$defs/{name}") }))
    }

    /// A text that is not blank. Plain scalars are texts for the bridge, and numbers or booleans for other tools.
    pub fn text() -> Self {
        Self::from_json(json!({ "type": ["string", "number", "boolean"], "pattern": r"\S" }))
    }

    /// Any scalar but null.
    pub fn scalar() -> Self {
        Self::from_json(json!({ "type": ["string", "number", "boolean"] }))
    }

    /// Whatever it is.
    pub fn anything() -> Self {
        Self(Map::new())
    }

    /// Nothing: `~`, `null` or no value.
    pub fn nothing() -> Self {
        Self::from_json(json!({ "type": "null" }))
    }

    /// A text of this form, and what an editor says of one that is not.
    pub fn pattern(pattern: &str, otherwise: &str) -> Self {
        Self::from_json(
            json!({ "type": "string", "pattern": pattern, "patternErrorMessage": otherwise }),
        )
    }

    /// One of these words.
    pub fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        Self::from_json(json!({ "enum": words.into_iter().collect::<Vec<_>>() }))
    }

    /// One of the words of a reader's table.
    pub fn words_of<T>(table: &[(&'static str, T)]) -> Self {
        Self::words(table.iter().map(|(word, _)| *word))
    }

    /// `true` or `false`.
    pub fn boolean() -> Self {
        Self::from_json(json!({ "type": "boolean" }))
    }

    /// `true`.
    pub fn yes() -> Self {
        Self::from_json(json!({ "const": true }))
    }

    /// This, or `off`, which takes away what the mapping has that a file extends.
    #[must_use]
    pub fn or_off(self) -> Self {
        Self::either([self, Self::words(["off"])])
    }

    /// A whole number between two others.
    pub fn whole(least: u32, most: u32) -> Self {
        Self::from_json(json!({ "type": "integer", "minimum": least, "maximum": most }))
    }

    /// A list of one item at least.
    #[must_use]
    pub fn list(self) -> Self {
        Self::from_json(json!({ "type": "array", "items": self.0, "minItems": 1 }))
    }

    /// A list that may be empty.
    #[must_use]
    pub fn any_list(self) -> Self {
        Self::from_json(json!({ "type": "array", "items": self.0 }))
    }

    /// One alone, or a list of them; nothing is an empty list.
    #[must_use]
    pub fn one_or_list(self) -> Self {
        Self::either([self.clone(), self.any_list(), Self::nothing()])
    }

    /// One of these.
    pub fn either(parts: impl IntoIterator<Item = Self>) -> Self {
        let parts: Vec<_> = parts.into_iter().map(Self::into_value).collect();
        Self::from_json(json!({ "anyOf": parts }))
    }

    /// A block whose keys are the user's own.
    pub fn own_keys(values: Self) -> Self {
        Self::from_json(json!({ "type": "object", "additionalProperties": values.into_value() }))
    }

    /// A block whose keys have these forms.
    pub fn keys_like(forms: impl IntoIterator<Item = (String, Self)>) -> Self {
        let forms: Map<_, _> =
            forms.into_iter().map(|(form, value)| (form, value.into_value())).collect();
        Self::from_json(json!({
            "type": "object",
            "patternProperties": forms,
            "additionalProperties": false,
            "minProperties": 1,
        }))
    }

    /// With what an editor says about it.
    #[must_use]
    pub fn about(mut self, text: &str) -> Self {
        self.0.insert("description".to_owned(), json!(text));
        self
    }

    /// With this member of JSON Schema's.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.0.insert(member.to_owned(), value);
        self
    }

    /// The JSON.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    pub(super) fn into_members(self) -> Map<String, Value> {
        self.0
    }
}

impl Block {
    /// A block without keys.
    pub fn new() -> Self {
        Self { said: None, keys: Map::new(), needed: Vec::new() }
    }

    /// What an editor says about the block.
    #[must_use]
    pub fn about(mut self, text: &'static str) -> Self {
        self.said = Some(text);
        self
    }

    /// A key, what stands there, and what an editor says about it.
    #[must_use]
    pub fn key(mut self, name: &'static str, value: Schema, about: &str) -> Self {
        self.keys.insert(name.to_owned(), value.about(about).into_value());
        self
    }

    /// The same, of a key that must be there.
    #[must_use]
    pub fn need(mut self, name: &'static str, value: Schema, about: &str) -> Self {
        self.needed.push(name);
        self.key(name, value, about)
    }

    /// The schema.
    pub fn schema(self) -> Schema {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("object"));
        if let Some(said) = self.said {
            schema.insert("description".to_owned(), json!(said));
        }
        schema.insert("properties".to_owned(), Value::Object(self.keys));
        if !self.needed.is_empty() {
            schema.insert("required".to_owned(), json!(self.needed));
        }
        schema.insert("additionalProperties".to_owned(), json!(false));
        Schema(schema)
    }
}

impl Default for Block {
    fn default() -> Self {
        Self::new()
    }
}
