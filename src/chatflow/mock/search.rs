//! `GET /contacts/`: which contacts a query finds, and in which pages.

use std::collections::BTreeMap;

use super::contact::MockContact;

/// How a search by name, mobile or attribute compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Search {
    /// Whatever contains the text, without regard to case: a client has to check what comes back.
    #[default]
    Containing,
    /// What equals the text. A look-up by mobile costs the same however many contacts there are.
    Exact,
}

const PAGE: usize = 25;

/// What a query asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) mobile: Option<String>,
    name: Option<String>,
    tags: Vec<String>,
    optin: Option<bool>,
    incoming_blocked: Option<bool>,
    source: Option<String>,
    attributes: BTreeMap<String, (String, String)>,
    pub(super) newest_first: bool,
    limit: usize,
    page: usize,
}

impl Query {
    /// Reads the pairs of a query; on an error says what is malformed.
    pub(super) fn read(pairs: &[(String, String)]) -> Result<Self, String> {
        let mut query = Self { newest_first: true, limit: PAGE, page: 1, ..Self::default() };
        for (key, value) in pairs {
            match key.as_str() {
                "mobile" => query.mobile = Some(value.trim_start_matches('+').to_owned()),
                "name" => query.name = Some(value.clone()),
                "tags" => query.tags = value.split(',').map(|tag| tag.trim().to_owned()).collect(),
                "optin" => query.optin = Some(parse(key, value)?),
                "incomingBlocked" => query.incoming_blocked = Some(parse(key, value)?),
                "source" => query.source = Some(value.clone()),
                "order" if value == "1" => query.newest_first = false,
                "order" if value == "-1" => query.newest_first = true,
                "order" => return Err("order must be 1 or -1".to_owned()),
                "limit" => query.limit = parse::<usize>(key, value)?.clamp(1, PAGE),
                "page" => query.page = parse::<usize>(key, value)?.max(1),
                _ => query.bracketed(key, value),
            }
        }
        Ok(query)
    }

    /// `attributes[0][name]` and `attributes[0][value]`; other keys are passed over.
    fn bracketed(&mut self, key: &str, value: &str) {
        let Some((index, rest)) =
            key.strip_prefix("attributes[").and_then(|rest| rest.split_once(']'))
        else {
            return;
        };
        let pair = self.attributes.entry(index.to_owned()).or_default();
        match rest {
            "[name]" => value.clone_into(&mut pair.0),
            "[value]" => value.clone_into(&mut pair.1),
            _ => {}
        }
    }

    /// Whether a contact is found: every part of the query has to fit.
    pub(super) fn finds(&self, contact: &MockContact, search: Search) -> bool {
        let fits = |asked: &str, held: &str| match search {
            Search::Exact => asked == held,
            Search::Containing => held.to_lowercase().contains(&asked.to_lowercase()),
        };
        let is = |asked: Option<bool>, held: bool| asked.is_none_or(|asked| asked == held);
        self.mobile
            .as_ref()
            .is_none_or(|asked| contact.numbers().any(|number| fits(asked, &number)))
            && self.name.as_ref().is_none_or(|asked| fits(asked, &contact.name))
            && self.tags.iter().all(|tag| contact.tags.contains(tag))
            && is(self.optin, contact.optin)
            && is(self.incoming_blocked, contact.incoming_blocked)
            && self.source.as_ref().is_none_or(|asked| *asked == contact.source)
            && self.attributes.values().all(|(name, value)| {
                contact.attributes.get(name).is_some_and(|held| fits(value, held))
            })
    }

    /// The page asked for of what was found.
    pub(super) fn page_of<'a>(&self, found: &[&'a MockContact]) -> Vec<&'a MockContact> {
        found
            .iter()
            .skip((self.page - 1).saturating_mul(self.limit))
            .take(self.limit)
            .copied()
            .collect()
    }

    pub(super) const fn page_number(&self) -> usize {
        self.page
    }
}

fn parse<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{key} is malformed"))
}
