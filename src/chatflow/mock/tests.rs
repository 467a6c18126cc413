//! The mock against the reference.

use serde_json::{Value, json};

use super::answer::{Asked, answer};
use super::*;
use crate::chatflow::ChatflowSettings;
use crate::chatflow::tls::http_client;

struct Api(Book);

impl Api {
    fn new(options: &MockOptions) -> Self {
        let mut book = Book::new(options);
        book.seed(
            Seed::with_mobile("12025550143").named("Ann").tagged(&["lead"]).with("city", "Pune"),
        );
        Self(book)
    }

    /// The first contact's id.
    fn ann(&self) -> String {
        self.0.contacts().next().unwrap().id.as_str().to_owned()
    }

    fn ask(&mut self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let body = body.to_string().into_bytes();
        let answer = answer(&mut self.0, &Asked { method, path, query, body: &body });
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    fn put(&mut self, body: &Value) -> (u16, Value) {
        self.ask("PUT", &format!("/contacts/{}", self.ann()), body)
    }

    fn mobiles(&mut self, query: &str) -> Vec<String> {
        let (status, body) = self.ask("GET", &format!("/contacts/?{query}"), &Value::Null);
        assert_eq!(status, 200, "{query}: {body}");
        let contacts = body["data"]["contacts"].as_array().unwrap();
        contacts.iter().map(|contact| contact["mobile"].as_str().unwrap().to_owned()).collect()
    }
}

fn strict() -> MockOptions {
    let owned = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
    MockOptions {
        known_tags: owned(&["lead", "gold"]),
        known_attributes: owned(&["city"]),
        ..MockOptions::default()
    }
}

#[test]
fn a_put_answers_with_the_whole_contact() {
    let mut api = Api::new(&MockOptions::default());

    let (status, body) = api.put(&json!({"tagsToAdd": "gold", "optin": true}));

    assert_eq!(status, 200);
    assert_eq!(body["status"], "success");
    let data = &body["data"];
    assert_eq!(data["_id"], api.ann());
    assert_eq!((&data["name"], &data["optin"]), (&json!("Ann"), &json!(true)));
    assert_eq!(data["attributes"], json!([{"name": "city", "value": "Pune"}]));
    assert_eq!(data["tags"], json!(["lead", "gold"]));
    for field in
        ["countryCode", "mobile", "status", "source", "incomingBlocked", "list", "createdAt"]
    {
        assert!(data.get(field).is_some(), "{field}");
    }
}

#[test]
fn a_put_that_is_refused_changes_nothing() {
    for (body, words) in [
        (json!({"name": "B", "tagsToAdd": "unknown"}), "tag 'unknown' does not exist in settings"),
        (
            json!({"name": "B", "tags": ["lead", "unknown"]}),
            "tag 'unknown' does not exist in settings",
        ),
        (
            json!({"name": "B", "tagsToRemove": "unknown"}),
            "tag 'unknown' does not exist in settings",
        ),
        (
            json!({"name": "B", "attributes": [{"name": "City", "value": "x"}]}),
            "attribute 'City' does not exist in settings",
        ),
        (json!({"name": "B", "optin": "yes"}), "optin must be a boolean"),
        (json!({"name": "B", "mobile": "12025550199"}), "another contact has this mobile"),
        (json!([{"name": "B"}]), "The body must be a JSON object"),
    ] {
        let mut api = Api::new(&strict());
        api.0.seed(Seed::with_mobile("12025550199"));

        let refused = api.put(&body);

        assert_eq!(refused, (400, json!({"status": "error", "message": words})), "{body}");
        assert_eq!(api.0.contacts().next().unwrap().name, "Ann", "{body}");
    }
}

#[test]
fn a_contact_that_is_not_there_is_404_unless_every_id_exists() {
    let unknown = "/contacts/65f0c0ffee99999999999999";
    let mut api = Api::new(&MockOptions::default());
    let mut any = Api::new(&MockOptions { create_unknown: true, ..MockOptions::default() });

    for method in ["GET", "PUT"] {
        assert_eq!(api.ask(method, unknown, &json!({})).0, 404);
        assert_eq!(api.ask(method, "/contacts/7", &json!({})).0, 400);
    }
    assert_eq!(any.ask("PUT", unknown, &json!({"name": "Bo"})).0, 200);
    assert_eq!(any.ask("GET", unknown, &json!({})).1["data"]["name"], "Bo");
    assert_eq!(api.ask("DELETE", unknown, &json!({})).0, 404);
}

#[test]
fn a_search_takes_every_filter_together() {
    let mut api = Api::new(&MockOptions::default());
    api.0.seed(
        Seed { optin: true, ..Seed::with_mobile("12025550199").named("Joanna") }
            .with("city", "Puna"),
    );
    let (ann, joanna) = ("12025550143", "12025550199");
    for (query, found) in [
        ("", vec![joanna, ann]),
        ("order=1", vec![ann, joanna]),
        ("order=-1&limit=1", vec![joanna]),
        ("order=1&limit=1&page=2", vec![joanna]),
        ("page=3", vec![]),
        ("mobile=12025550143", vec![ann]),
        ("mobile=%2B1202555014", vec![ann]),
        ("name=ann", vec![joanna, ann]),
        ("name=ann&optin=false", vec![ann]),
        ("tags=lead", vec![ann]),
        ("tags=lead,gold", vec![]),
        ("source=manual&incomingBlocked=false", vec![joanna, ann]),
        ("source=csv", vec![]),
        ("attributes[0][name]=city&attributes[0][value]=pun", vec![joanna, ann]),
        ("attributes%5B0%5D%5Bname%5D=city&attributes%5B0%5D%5Bvalue%5D=puna", vec![joanna]),
        (
            "attributes[0][name]=city&attributes[0][value]=pun&attributes[1][name]=plan&attributes[1][value]=",
            vec![],
        ),
    ] {
        assert_eq!(api.mobiles(query), found, "{query}");
    }
    for query in ["order=2", "limit=many", "optin=yes"] {
        assert_eq!(api.ask("GET", &format!("/contacts?{query}"), &Value::Null).0, 400, "{query}");
    }
}

#[test]
fn an_exact_search_finds_only_what_is_equal() {
    let mut api = Api::new(&MockOptions { search: Search::Exact, ..MockOptions::default() });
    api.put(&json!({"mobile": "12025550144"}));

    assert_eq!(api.mobiles("mobile=12025550144"), ["12025550144"]);
    assert_eq!(api.mobiles("mobile=12025550143"), [""; 0]);
    assert_eq!(api.mobiles("mobile=1202555014"), [""; 0]);
    assert_eq!(api.mobiles("mobile=12025550144&name=An"), [""; 0]);
}

#[test]
fn creating_skips_or_overwrites_what_is_there_already() {
    let body = json!([
        {"mobile": "12025550143", "name": "Anna", "attributes": [{"name": "city", "value": ""}]},
        {"mobile": "+12025550199", "optin": true, "attributes": [{"name": "city", "value": ""}]},
    ]);
    for (query, name) in
        [("", "Ann"), ("?onDuplicate=skip", "Ann"), ("?onDuplicate=overwrite", "Anna")]
    {
        let mut api = Api::new(&MockOptions::default());

        let (status, answer) = api.ask("POST", &format!("/contacts{query}"), &body);

        assert_eq!((status, &answer["message"]), (200, &json!("1 contact saved successfully")));
        let created = answer["data"]["createdContacts"].as_array().unwrap();
        assert_eq!(created.len(), 1);
        assert_eq!(created[0]["mobile"], "12025550199");
        assert_eq!(created[0]["attributes"], json!([]), "empty values are ignored");
        let ann = api.0.contacts().next().unwrap();
        assert_eq!((ann.name.as_str(), ann.attributes["city"].as_str()), (name, "Pune"), "{query}");
    }
}

#[test]
fn a_create_that_is_malformed_makes_nothing() {
    for (target, body) in [
        ("/contacts", json!({"mobile": "12025550199"})),
        ("/contacts", json!([])),
        ("/contacts", json!([{"mobile": "12025550199"}, {"name": "no number"}])),
        ("/contacts", json!([{"mobile": "12025550199", "tags": ["unknown"]}])),
        ("/contacts?onDuplicate=merge", json!([{"mobile": "12025550199"}])),
        ("/contacts", json!([{"mobile": "12025550199", "onDuplicate": "merge"}])),
    ] {
        let mut api = Api::new(&strict());
        assert_eq!(api.ask("POST", target, &body).0, 400, "{target} {body}");
        assert_eq!(api.0.contacts().count(), 1, "{target} {body}");
    }
}

#[tokio::test]
async fn the_second_door_does_what_the_handle_does() {
    let mock = MockChatflow::start(MockOptions::default()).unwrap();
    let http = http_client(
        &ChatflowSettings {
            base_url: mock.base_url().parse().unwrap(),
            ..ChatflowSettings::default()
        },
        1,
    )
    .unwrap();
    let door = |path: &str| format!("http://{}/_mock{path}", mock.address());
    let post =
        async |path: &str, body: Value| http.post(door(path)).json(&body).send().await.unwrap();
    let get = async |url: String| http.get(url).bearer_auth("key").send().await.unwrap();
    let probe =
        async || get(format!("{}/contacts?limit=1", mock.base_url())).await.status().as_u16();

    let ann: Value =
        post("/contacts", json!({"mobile": "12025550143"})).await.json().await.unwrap();
    assert_eq!(probe().await, 200);
    assert_eq!(post("/key", json!({"key": "other"})).await.status(), 204);
    assert_eq!(probe().await, 401);
    assert_eq!(post("/key", json!({"key": null})).await.status(), 204);
    let fault = json!([{"times": 1, "answer": {"status": {"status": 503}}}]);
    assert_eq!(post("/faults", fault).await.status(), 204);
    assert_eq!((probe().await, probe().await), (503, 200));

    let contacts: Value = get(door("/contacts")).await.json().await.unwrap();
    assert_eq!(contacts, json!([ann]));
    let seen: Value = get(door("/requests?after=2")).await.json().await.unwrap();
    let statuses: Vec<_> = seen.as_array().unwrap().iter().map(|seen| &seen["status"]).collect();
    assert_eq!(statuses, [401, 503, 200]);
    assert_eq!(seen[0]["path"], "/contacts");
    assert_eq!(mock.served(), 4);
}

#[tokio::test]
async fn what_lands_late_takes_effect_though_nobody_waits_for_it() {
    let mock = MockChatflow::start(MockOptions::default()).unwrap();
    let id = mock.add_contact(Seed::with_mobile("12025550143"));
    mock.faults().add(Fault::default().landing_after(Duration::from_millis(300)).on("PUT"));
    let settings = ChatflowSettings {
        base_url: mock.base_url().parse().unwrap(),
        ..ChatflowSettings::default()
    };
    let http = http_client(&settings, 1).unwrap();
    let put = http.put(format!("{}/contacts/{}", mock.base_url(), id.as_str()));
    let put = put.bearer_auth("key").json(&json!({"name": "Ann"}));

    let answer = put.timeout(Duration::from_millis(50)).send().await;

    assert!(answer.is_err_and(|error| error.is_timeout()));
    assert_eq!(mock.contact(&id).unwrap().name, "");
    while mock.landing() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(mock.contact(&id).unwrap().name, "Ann");
    assert!(mock.requests().pop().unwrap().took_effect_at.is_some());
}

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let first = MockChatflow::start(MockOptions::default()).unwrap();

    let second =
        MockChatflow::start(MockOptions { addr: first.address(), ..MockOptions::default() });

    assert_eq!(second.err().map(|error| error.kind()), Some(io::ErrorKind::AddrInUse));
}
