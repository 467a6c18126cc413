//! Mappings of real senders, as files with tests of their own.

use super::*;

/// The files beside the mappings. A decoder that is good enough for these: forms of one field, and JSON, which
/// is YAML but for rare escapes.
struct Files;

impl testing::Outside for Files {
    fn read_file(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/mappings/");
        std::fs::read(format!("{folder}{name}")).map_err(|error| error.to_string())
    }

    fn decode(
        &mut self,
        _source: &Source,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Value, String> {
        let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        if content_type == Some("application/x-www-form-urlencoded") {
            let (name, value) = text.split_once('=').ok_or("no field")?;
            return Ok(Value::Object([(name.into(), Value::text(value))].into_iter().collect()));
        }
        let node = Node::read(text).map_err(|problem| problem.message)?;
        testing::document(&node, &mut Problems::default()).ok_or_else(|| "no document".to_owned())
    }
}

fn run_all(source: &Source) -> Vec<testing::Outcome> {
    source.tests().iter().map(|test| testing::run(source, test, &mut Files)).collect()
}

#[test]
fn the_typeform_example_makes_one_update_of_a_lead() {
    let outcomes = run_all(&source(TYPEFORM));

    assert_eq!(
        outcomes[0].events,
        [json!({
            "id": "01J9ZK3V7Q8R2S4T6U8V0W1X2Y",
            "type": "form_response",
            "occurred_at": "2026-11-23T11:59:58Z",
            "status": "accepted",
            "updates": [{
                "rule": "new-lead",
                "item": 0,
                "state": "planned",
                "contact": { "mobile": "917989000001" },
                "on_missing": "create",
                "update": {
                    "name": "Asha Rao",
                    "optin": true,
                    "tags_to_add": ["lead", "google"],
                    "attributes": { "city": "Pune", "plan": "free", "signed_up": "23 Nov 2026" },
                },
            }],
        })]
    );
}

#[test]
fn mappings_of_real_senders_have_no_warnings_and_their_tests_pass() {
    for (file, text, tests) in [
        ("typeform.yaml", TYPEFORM, 2),
        (
            "woocommerce.yaml",
            include_str!("../../../../tests/fixtures/mappings/woocommerce.yaml"),
            3,
        ),
        ("hubspot.yaml", include_str!("../../../../tests/fixtures/mappings/hubspot.yaml"), 1),
    ] {
        let read = Set::read(vec![(file.to_owned(), text.to_owned())]);
        assert_eq!(render(&read.reports[0], Colour::Never), "");
        let source = source(text);

        let outcomes = run_all(&source);

        let failures: Vec<_> = outcomes.iter().flat_map(|outcome| &outcome.failures).collect();
        assert_eq!(failures, Vec::<&String>::new(), "{file}");
        assert_eq!(outcomes.len(), tests, "{file}");
    }
}
