//! Looking contacts up: all pages, exactly what was asked for.

use super::*;
use crate::chatflow::Failure;
use crate::chatflow::mock::{Fault, Seed};
use serde_json::json;

fn numbered(n: u64) -> Seed {
    Seed::with_mobile(&(919_800_000_000 + n).to_string())
}

#[tokio::test]
async fn a_search_reads_all_pages_and_keeps_what_is_exact() {
    let mock = mock();
    let mut members = Vec::new();
    for n in 0..60 {
        members.push(mock.add_contact(numbered(n).with("company", "acme")));
        if n % 6 == 0 {
            mock.add_contact(numbered(100 + n).with("company", "acme & sons"));
        }
    }

    let found = client(&mock).find_by_attribute("company", "acme").await.unwrap();

    assert_eq!(found.into_iter().map(|contact| contact.id).collect::<Vec<_>>(), members);
    assert_eq!(mock.requests().len(), 3, "70 contacts in pages of 25");
}

#[tokio::test]
async fn an_attribute_is_found_by_its_exact_name_and_value() {
    let mock = mock();
    let ann = mock.add_contact(numbered(1).with("email", "ann+a&b=c@example.com"));
    mock.add_contact(numbered(2).with("email", "Ann+a&b=c@example.com"));
    mock.add_contact(numbered(3).with("email", "joann+a&b=c@example.com"));
    mock.add_contact(numbered(4).with("Email", "ann+a&b=c@example.com"));
    let client = client(&mock);

    let found = client.find_by_attribute("email", "ann+a&b=c@example.com").await.unwrap();

    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, ann);
    assert_eq!(client.find_by_attribute("phone", "ann").await, Ok(Vec::new()));
    let query = &mock.requests()[0].query;
    assert!(query.starts_with(
        "attributes%5B0%5D%5Bname%5D=email&attributes%5B0%5D%5Bvalue%5D=ann%2Ba%26b%3Dc%40example.com&"
    ), "{query}");
}

#[tokio::test]
async fn a_mobile_is_found_exactly_or_in_its_other_spelling() {
    let apart = |code: &str, number: &str| Seed {
        country_code: code.to_owned(),
        ..Seed::with_mobile(number)
    };
    for (held, asked, found, requests) in [
        (vec![Seed::with_mobile("12025550143")], "12025550143", 1, 1),
        (vec![Seed::with_mobile("120255501430")], "12025550143", 0, 1),
        (vec![apart("1", "2025550143")], "12025550143", 1, 1),
        (vec![apart("1", "2025550143"), Seed::with_mobile("12025550143")], "12025550143", 2, 1),
        (vec![Seed::with_mobile("12025550143"); 2], "12025550143", 2, 1),
        (vec![Seed::with_mobile("5215512345678")], "525512345678", 1, 2),
        (vec![Seed::with_mobile("525512345678")], "5215512345678", 1, 2),
        (
            vec![Seed::with_mobile("525512345678"), Seed::with_mobile("5215512345678")],
            "525512345678",
            1,
            1,
        ),
        (vec![Seed::with_mobile("5491112345678")], "541112345678", 1, 2),
        (vec![Seed::with_mobile("551187654321")], "5511987654321", 1, 2),
        (vec![Seed::with_mobile("551132654321")], "5511932654321", 0, 1),
        (vec![], "12025550143", 0, 1),
    ] {
        let mock = mock();
        for seed in held.clone() {
            mock.add_contact(seed);
        }

        let hits = client(&mock).find_by_mobile(&mobile(asked)).await.unwrap();

        assert_eq!(hits.len(), found, "{asked} among {held:?}");
        assert_eq!(mock.requests().len(), requests, "{asked} among {held:?}");
    }
}

#[tokio::test]
async fn a_search_that_repeats_a_page_ends_and_counts_each_contact_once() {
    let mock = mock();
    let page: Vec<_> =
        (0..25).map(|n| json!({"_id": format!("{n:024x}"), "mobile": "12025550143"})).collect();
    mock.faults().add(Fault::status_with(200, json!({"data": {"contacts": page}})));

    let found = client(&mock).find_by_mobile(&mobile("12025550143")).await.unwrap();

    assert_eq!(found.len(), 25);
    assert_eq!(mock.requests().len(), 2);
}

#[tokio::test]
async fn a_search_that_finds_a_thousand_was_not_the_one_that_was_meant() {
    let mock = mock();
    for n in 0..1001 {
        mock.add_contact(numbered(n).with("company", "acme"));
    }

    let found = client(&mock).find_by_attribute("company", "acme").await;

    let Err(Failure::Unclear { words, .. }) = found else { panic!("{found:?}") };
    assert_eq!(words, "the search finds more than 1000 contacts");
    assert_eq!(mock.requests().len(), 40);
}
