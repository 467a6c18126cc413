//! What comes back: statuses, envelopes and bodies, read into contacts or a [`Failure`].

use reqwest::Response;
use reqwest::header::{DATE, HeaderName, RETRY_AFTER};
use serde_json::Value;

use super::contact::{Contact, names};
use super::failure::Failure;
use super::{retry_after, words};
use crate::clock::{Clock, SystemClock};
use crate::contact::ContactId;

/// As much of an answer as is read.
const LARGEST: usize = 1 << 20;

/// A 2xx answer whose envelope does not say failure.
pub(super) struct Said {
    status: u16,
    body: Value,
}

/// Reads an answer to its end and takes its envelope apart.
pub(super) async fn read(mut answer: Response) -> Result<Said, Failure> {
    let status = answer.status();
    let header =
        |name: HeaderName| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let retry_after = retry_after::read(header(RETRY_AFTER), header(DATE), || SystemClock.now());
    let body = body(&mut answer).await;
    let status_code = status.as_u16();
    if !status.is_success() {
        // The status alone says what to do: a body that cannot be read takes nothing from it.
        let words = words_of(body.as_deref().unwrap_or_default());
        return Err(Failure::Answered { status: status_code, words, retry_after });
    }
    let Ok(body) = serde_json::from_slice::<Value>(&body?) else {
        return Err(unclear(status_code, "it is not JSON"));
    };
    if says_failure(&body) {
        let words = said_by(&body).unwrap_or_default();
        return Err(unclear(status_code, &format!("it says failure: {words}")));
    }
    Ok(Said { status: status_code, body })
}

/// The whole body, up to a limit.
async fn body(answer: &mut Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| cut_short(&error))? {
        if body.len() + chunk.len() > LARGEST {
            return Err(Failure::Broken("it is larger than 1 MiB".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn cut_short(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        Failure::TimedOut
    } else {
        Failure::Broken("it ended too early".to_owned())
    }
}

/// The two envelopes: `{"success": false, …}` and `{"status": "error", …}`.
fn says_failure(body: &Value) -> bool {
    let status = body.get("status").and_then(Value::as_str);
    body.get("success") == Some(&Value::Bool(false))
        || status.is_some_and(|status| status.eq_ignore_ascii_case("error"))
}

fn says_success(body: &Value) -> bool {
    let status = body.get("status").and_then(Value::as_str);
    body.get("success") == Some(&Value::Bool(true))
        || status.is_some_and(|status| status.eq_ignore_ascii_case("success"))
}

fn said_by(body: &Value) -> Option<String> {
    ["error", "message"]
        .iter()
        .filter_map(|field| body.get(field))
        .find_map(|said| said.as_str().or_else(|| said.get("message")?.as_str()))
        .map(words::tidy)
}

/// The words of an error answer. A body that is no envelope is a gateway's, and may hold anything: it is not quoted.
fn words_of(body: &[u8]) -> String {
    if body.is_empty() {
        return "without a word".to_owned();
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(body) => {
            said_by(&body).unwrap_or_else(|| "JSON without `error` or `message`".to_owned())
        }
        Err(_) => "a body that is not JSON".to_owned(),
    }
}

fn unclear(status: u16, words: &str) -> Failure {
    Failure::Unclear { status, words: words.to_owned() }
}

impl Said {
    fn data(&self) -> &Value {
        self.body.get("data").unwrap_or(&Value::Null)
    }

    fn unclear(&self, words: &str) -> Failure {
        unclear(self.status, words)
    }

    /// The one contact that was asked for.
    pub(super) fn contact(&self, id: &ContactId) -> Result<Contact, Failure> {
        let contact = Contact::read(self.data()).ok_or_else(|| {
            self.unclear("`data` is no contact with an `_id` of 24 hexadecimal digits")
        })?;
        if contact.id.as_str().eq_ignore_ascii_case(id.as_str()) {
            Ok(contact)
        } else {
            Err(self.unclear("`data` is another contact than the one asked for"))
        }
    }

    /// The contact that was changed; one of which nothing is known but the id where the answer says success and
    /// shows none.
    pub(super) fn updated(&self, id: &ContactId) -> Result<Contact, Failure> {
        if self.data().is_null() && says_success(&self.body) {
            return Ok(Contact::of_id(id.clone()));
        }
        self.contact(id)
    }

    /// The contacts of a list under this name.
    pub(super) fn contacts(&self, list: &str) -> Result<Vec<Contact>, Failure> {
        self.data()
            .get(list)
            .and_then(Value::as_array)
            .and_then(|list| list.iter().map(Contact::read).collect())
            .ok_or_else(|| {
                self.unclear(&format!(
                    "`data.{list}` is no list of contacts, each with an `_id` of 24 hexadecimal digits"
                ))
            })
    }

    /// The tags of the settings; nothing where the answer has a form that is not known.
    pub(super) fn tags(&self) -> Option<Vec<String>> {
        names(self.data()).or_else(|| names(self.data().get("tags")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_envelopes_give_their_words_and_no_others() {
        for (body, words) in [
            (r#"{"success": false, "error": "no such tag"}"#, "no such tag"),
            (r#"{"status": "error", "message": "no such tag"}"#, "no such tag"),
            (r#"{"error": {"message": "no such tag"}}"#, "no such tag"),
            (r#"{"error": null, "message": "for 919812345678"}"#, "for [number]"),
            (r#"{"name": "Ann"}"#, "JSON without `error` or `message`"),
            ("<html>Ann</html>", "a body that is not JSON"),
            ("", "without a word"),
        ] {
            assert_eq!(words_of(body.as_bytes()), words, "{body}");
        }
    }

    #[test]
    fn either_envelope_can_say_failure() {
        for (body, failure) in [
            (json!({"success": false, "error": "x"}), true),
            (json!({"status": "error", "message": "x"}), true),
            (json!({"status": "success", "data": {}}), false),
            (json!({"success": true, "data": {}}), false),
            (json!({"status": 200}), false),
            (json!({}), false),
        ] {
            assert_eq!(says_failure(&body), failure, "{body}");
        }
    }

    #[test]
    fn an_update_that_is_answered_with_success_alone_is_taken() {
        let id = ContactId::try_from("65f0c0ffee0123456789abcd".to_owned()).unwrap();
        for (body, taken) in [
            (json!({"status": "success", "message": "Contact updated successfully"}), true),
            (json!({"success": true, "data": null}), true),
            (json!({"status": "success", "data": {"_id": id.as_str()}}), true),
            (json!({"status": "success", "data": {}}), false),
            (json!({"data": null}), false),
            (json!({"status": "ok"}), false),
            (json!("welcome"), false),
        ] {
            let said = Said { status: 200, body: body.clone() };
            assert_eq!(said.updated(&id).is_ok(), taken, "{body}");
        }
    }

    #[test]
    fn tags_are_read_in_the_forms_that_may_be_and_no_others() {
        let read = |data: Value| Said { status: 200, body: json!({"data": data}) }.tags();
        let both = Some(vec!["a".to_owned(), "b".to_owned()]);

        assert_eq!(read(json!(["a", "b"])), both);
        assert_eq!(read(json!([{"name": "a", "_id": 1}, {"name": "b"}])), both);
        assert_eq!(read(json!({"tags": ["a", {"name": "b"}]})), both);
        assert_eq!(read(json!([])), Some(Vec::new()));
        for unknown in [json!(null), json!({}), json!("a,b"), json!([1]), json!({"tags": {"a": 1}})]
        {
            assert_eq!(read(unknown.clone()), None, "{unknown}");
        }
    }
}
