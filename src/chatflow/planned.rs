//! The requests that a planned update leads to, to be shown: what [`Client`](super::Client) would send.

use super::client::{create_path, search_path};
use super::failure::Failure;
use super::request::{self, NewContact};
use super::settings::ChatflowSettings;
use crate::contact::{OnMissing, PlannedUpdate, Who};

/// Stands in an address for the id that the look-up will give.
const FOUND_ID: &str = "CONTACT_ID";

/// A request to the API, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRequest {
    /// When it is sent.
    pub when: When,
    /// `GET`, `POST` or `PUT`.
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// The body, JSON.
    pub body: Option<String>,
}

/// When a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// First, to find the contact's id, unless it is known already.
    LookUp,
    /// If the look-up finds nobody.
    Missing,
    /// With the contact's id.
    Update,
}

/// The requests of an update, in order.
///
/// # Errors
///
/// [`Failure::Unsayable`] where the update cannot be said in the wire forms that are set.
pub fn requests(
    planned: &PlannedUpdate,
    settings: &ChatflowSettings,
) -> Result<Vec<PlannedRequest>, Failure> {
    let base = settings.base_url.as_str();
    let mut requests = Vec::new();
    let mut add = |when, method, path: String, body: Option<Vec<u8>>| {
        let body = body.map(|body| String::from_utf8_lossy(&body).into_owned());
        requests.push(PlannedRequest { when, method, url: format!("{base}{path}"), body });
    };
    let filters = match &planned.target.who {
        Who::Id(_) => Vec::new(),
        Who::Mobile(mobile) => vec![("mobile", mobile.as_str())],
        Who::Attribute { name, value } => {
            vec![("attributes[0][name]", name.as_str()), ("attributes[0][value]", value.as_str())]
        }
    };
    if !filters.is_empty() {
        add(When::LookUp, "GET", search_path(&filters, 1), None);
    }
    if planned.target.on_missing == OnMissing::Create
        && let Some(new) = new_contact(planned)
    {
        let body = request::create(&new, settings.wire)?;
        add(When::Missing, "POST", create_path(settings.wire).to_owned(), Some(body));
    }
    let id = match &planned.target.who {
        Who::Id(id) => id.as_str(),
        Who::Mobile(_) | Who::Attribute { .. } => FOUND_ID,
    };
    let body = request::update(&planned.update, settings.wire)?;
    add(When::Update, "PUT", format!("/contacts/{id}"), Some(body));
    Ok(requests)
}

/// The contact that is created where there is none; nothing where the event has no mobile number for it.
fn new_contact(planned: &PlannedUpdate) -> Option<NewContact> {
    let update = &planned.update;
    let (mobile, attribute) = match &planned.target.who {
        Who::Id(_) => return None,
        Who::Mobile(mobile) => (mobile.clone(), None),
        Who::Attribute { name, value } => {
            (update.mobile.clone()?, Some((name.clone(), value.clone())))
        }
    };
    Some(NewContact {
        mobile,
        name: update.name.clone(),
        optin: update.optin.unwrap_or(false),
        attribute,
    })
}

impl PlannedRequest {
    /// A command line that would send it, but for the key, which is masked.
    pub fn curl(&self) -> String {
        let mut command = match self.method {
            "GET" => format!("curl {}", quoted(&self.url)),
            method => format!("curl -X {method} {}", quoted(&self.url)),
        };
        command.push_str(" -H 'Authorization: Bearer ********'");
        if let Some(body) = &self.body {
            command.push_str(" -H 'Content-Type: application/json' -d ");
            command.push_str(&quoted(body));
        }
        command
    }
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(planned: &serde_json::Value) -> Vec<String> {
        let planned = serde_json::from_value(planned.clone()).unwrap();
        let settings = ChatflowSettings::default();
        let requests = requests(&planned, &settings).unwrap();
        let base = settings.base_url.as_str();
        requests.iter().map(|request| request.curl().replace(base, "")).collect()
    }

    #[test]
    fn an_update_by_id_is_one_request_and_the_key_is_masked() {
        let planned = json!({
            "target": {"who": {"id": "65f0c0ffee0123456789abcd"}},
            "update": {"name": "O'Hara", "optin": true}
        });

        assert_eq!(
            shown(&planned),
            [
                r#"curl -X PUT '/contacts/65f0c0ffee0123456789abcd' -H 'Authorization: Bearer ********' -H 'Content-Type: application/json' -d '{"name":"O'\''Hara","optin":true}'"#
            ]
        );
    }

    #[test]
    fn a_contact_that_is_looked_up_may_be_created() {
        let planned = json!({
            "target": {"who": {"mobile": "12025550143"}, "on_missing": "create"},
            "update": {"tags": {"add": ["lead"]}}
        });

        let shown = shown(&planned);

        assert_eq!(shown.len(), 3);
        assert!(shown[0].starts_with("curl '/contacts/?mobile=12025550143&"), "{shown:?}");
        assert!(shown[1].contains("'/contacts?onDuplicate=skip'"), "{shown:?}");
        assert!(shown[1].contains(r#"[{"mobile":"12025550143","optin":false}]"#), "{shown:?}");
        assert!(shown[2].contains("'/contacts/CONTACT_ID'"), "{shown:?}");
        assert!(shown[2].contains(r#"{"tagsToAdd":"lead"}"#), "{shown:?}");
    }
}
