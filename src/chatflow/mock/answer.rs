//! A request in, a status and a body out: the endpoints of the reference.

use actix_web::web::Query as Pairs;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::book::{Book, OnDuplicate, Refused};
use super::change::Change;
use super::contact::MockContact;
use super::search::Query;
use crate::contact::ContactId;

/// A request below the base URL, with a key that is taken.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
}

/// A status and a body in JSON.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// The envelope of what went well.
#[derive(Serialize)]
struct Success<T> {
    status: &'static str,
    message: String,
    data: T,
}

impl Answer {
    fn success(message: impl Into<String>, data: impl Serialize) -> Self {
        let envelope = Success { status: "success", message: message.into(), data };
        Self { status: 200, body: serde_json::to_vec(&envelope).unwrap_or_default() }
    }

    /// An error, in the one envelope or the other.
    pub(super) fn error(status: u16, words: &str) -> Self {
        let envelope = match status {
            401 | 429 => json!({"success": false, "error": words}),
            _ => json!({"status": "error", "message": words}),
        };
        Self { status, body: envelope.to_string().into_bytes() }
    }
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unknown => Self::error(404, "Contact not found"),
            Refused::Malformed(words) => Self::error(400, &words),
        }
    }
}

impl From<String> for Answer {
    fn from(malformed: String) -> Self {
        Self::error(400, &malformed)
    }
}

/// The id in a path, where it is the path of a contact.
pub(super) fn contact_in(path: &str) -> Option<&str> {
    path.strip_prefix("/contacts/").filter(|id| !id.is_empty() && *id != "lists")
}

/// Answers a request.
pub(super) fn answer(book: &mut Book, asked: &Asked<'_>) -> Answer {
    let answered = match (asked.method, asked.path) {
        ("GET", "/contacts" | "/contacts/") => list(book, asked.query),
        ("POST", "/contacts" | "/contacts/") => create(book, asked),
        ("GET", "/contacts/lists") => Ok(Answer::success("Lists fetched", json!({"lists": []}))),
        ("GET", "/settings/tags") => Ok(tags(book)),
        (method @ ("GET" | "PUT"), path) => match contact_in(path) {
            Some(id) if method == "GET" => one(book, id),
            Some(id) => update(book, id, asked.body),
            None => Err(Answer::error(404, "Not found")),
        },
        _ => Err(Answer::error(404, "Not found")),
    };
    answered.unwrap_or_else(|refused| refused)
}

fn contact_id(id: &str) -> Result<ContactId, Answer> {
    ContactId::try_from(id.to_owned()).map_err(|_| Answer::error(400, "Invalid contact id"))
}

fn one(book: &Book, id: &str) -> Result<Answer, Answer> {
    let id = contact_id(id)?;
    let contact = book.contact(id.as_str()).ok_or(Refused::Unknown)?;
    Ok(Answer::success("Contact fetched successfully", contact))
}

fn update(book: &mut Book, id: &str, body: &[u8]) -> Result<Answer, Answer> {
    let id = contact_id(id)?;
    let mut body: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|_| Answer::error(400, "The body must be a JSON object"))?;
    if let Some(understands) = book.understands() {
        understands.narrow(&mut body)?;
    }
    let contact = book.update(&id, Change::read(&body)?)?;
    Ok(Answer::success("Contact updated successfully", contact))
}

fn list(book: &Book, query: &str) -> Result<Answer, Answer> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Listed<'a> {
        contacts: Vec<&'a MockContact>,
        total_contacts: usize,
        page: usize,
    }
    let query = Query::read(&pairs(query)?)?;
    let (contacts, total_contacts) = book.find(&query);
    let listed = Listed { contacts, total_contacts, page: query.page_number() };
    Ok(Answer::success("Contacts fetched successfully", listed))
}

fn create(book: &mut Book, asked: &Asked<'_>) -> Result<Answer, Answer> {
    let contacts: Vec<Map<String, Value>> = serde_json::from_slice(asked.body)
        .map_err(|_| Answer::error(400, "The body must be an array of contacts"))?;
    if contacts.is_empty() {
        return Err(Answer::error(400, "The body holds no contact"));
    }
    let pairs = pairs(asked.query)?;
    let in_query =
        pairs.iter().find(|(key, _)| key == "onDuplicate").map(|(_, value)| value.as_str());
    let in_body = contacts.iter().find_map(|contact| contact.get("onDuplicate")?.as_str());
    let said = match book.understands() {
        Some(understands) => understands.on_duplicate(in_query, in_body)?,
        None => in_query.or(in_body),
    };
    let on_duplicate = match said {
        None | Some("skip") => OnDuplicate::Skip,
        Some("overwrite") => OnDuplicate::Overwrite,
        Some(_) => return Err(Answer::error(400, "onDuplicate must be skip or overwrite")),
    };
    let changes = contacts.iter().map(Change::read).collect::<Result<_, _>>()?;
    let created = book.create(changes, on_duplicate)?;
    let message = format!("{} contact saved successfully", created.len());
    Ok(Answer::success(message, json!({"createdContacts": created})))
}

/// Where the tags are not told, the answer has a form that nobody knows.
fn tags(book: &Book) -> Answer {
    let named = |tag: &String| json!({"name": tag});
    let data = book.known_tags().map_or(Value::Null, |tags| tags.iter().map(named).collect());
    Answer::success("Tags fetched successfully", data)
}

/// The pairs of a query, decoded.
pub(super) fn pairs(query: &str) -> Result<Vec<(String, String)>, Answer> {
    Pairs::<Vec<(String, String)>>::from_query(query)
        .map(Pairs::into_inner)
        .map_err(|_| Answer::error(400, "The query is malformed"))
}
