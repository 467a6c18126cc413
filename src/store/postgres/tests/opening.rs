//! How a store is opened, and what is said where it cannot be.

use std::path::PathBuf;

use futures_util::future::join_all;

use super::server::PASSWORD;
use super::*;

fn tls(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(file)
}

#[tokio::test]
async fn of_several_that_start_at_once_one_makes_the_tables() {
    if is_left_out() {
        return;
    }
    let (place, clock) = (place(), clock());
    let settings = roomy();

    let opened = join_all((0..4).map(|_| open(&place, &settings, &clock))).await;

    let stores: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
    stores[0].append(request(), vec![keyed(1, "a")]).await.unwrap();
    let repeat = stores[3].append(request(), vec![keyed(1, "a")]).await.unwrap();
    assert!(matches!(repeat[0], crate::store::Receipt::Duplicate { .. }), "one key for all hashes");
    assert_eq!(execute(&place, "SELECT count(*) FROM holder"), "4");
}

#[tokio::test]
async fn a_newer_store_is_opened_only_as_far_back_as_it_says() {
    if is_left_out() {
        return;
    }
    for (readable_from, opens) in [(1, true), (99, false)] {
        let place = place();
        open(&place, &roomy(), &clock()).await.unwrap().close().await;
        execute(&place, "UPDATE meta SET number = 99 WHERE name = 'schema'");
        let sql = format!("UPDATE meta SET number = {readable_from} WHERE name = 'readable_from'");
        execute(&place, &sql);

        match open(&place, &roomy(), &clock()).await {
            Ok(_) => assert!(opens),
            Err(error) => {
                assert!(matches!(error, Error::Newer { found: 99, .. }), "{error}");
                assert!(!opens);
            }
        }
    }
}

#[tokio::test]
async fn the_tables_of_another_program_are_left_alone() {
    if is_left_out() {
        return;
    }
    for table in ["bookmarks(url text)", "meta(name text, number bigint)"] {
        let place = place();
        let schema = &place.address.schema;
        database().execute(&format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.{table}"));

        let refused = open(&place, &roomy(), &clock()).await.err().unwrap().to_string();

        assert!(refused.contains("another program") && refused.contains(schema), "{refused}");
    }
}

#[tokio::test]
async fn the_server_is_known_as_the_url_says() {
    if is_left_out() {
        return;
    }
    let with = |query: &str, ca: Option<&str>| {
        let url = format!("{}&{query}", database().url().replace("127.0.0.1", "localhost") + "?");
        let address: Address = url.parse().unwrap();
        Place { ca_file: ca.map(tls), ..Place::new(address) }
    };
    for (query, ca, opens) in [
        ("sslmode=disable", None, true),
        ("sslmode=require", None, true),
        ("sslmode=verify-ca", Some("ca.pem"), true),
        ("sslmode=verify-full", Some("ca.pem"), true),
        ("sslmode=require", Some("ca.pem"), true),
        ("sslmode=verify-full", Some("other-ca.pem"), false),
        ("sslmode=verify-ca", Some("other-ca.pem"), false),
        ("sslmode=verify-full", None, false),
    ] {
        let place = with(&format!("{query}&schema=of_tls"), ca);

        match open(&place, &roomy(), &clock()).await {
            Ok(store) => {
                assert!(opens, "{query} {ca:?}");
                let secured = if query == "sslmode=disable" { "f" } else { "t" };
                let sql = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                           WHERE query = 'LISTEN of_tls'";
                until(&place, sql, secured).await;
                store.close().await;
            }
            Err(error) => {
                assert!(!opens, "{query} {ca:?}: {error}");
                assert!(matches!(error, Error::Away(_)), "{error:?}");
                assert!(error.to_string().contains("certificate"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn the_password_is_read_from_its_file_each_time_and_never_shown() {
    if is_left_out() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let url = format!("{}?schema=of_password", database().url_without_password());
    let address: Address = url.parse().unwrap();
    let place = Place { password_file: Some(file.clone()), ..Place::new(address) };

    let missing = open(&place, &roomy(), &clock()).await.err().unwrap().to_string();
    std::fs::write(&file, "not it\n").unwrap();
    let wrong = open(&place, &roomy(), &clock()).await.err().unwrap().to_string();
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let store = open(&place, &roomy(), &clock()).await.unwrap();

    assert!(missing.contains("store.password_file"), "{missing}");
    assert!(wrong.contains("password authentication failed"), "{wrong}");
    for said in [missing, wrong] {
        assert!(!said.contains("not it") && !said.contains(PASSWORD), "{said}");
    }
    store.close().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_away() {
    if is_left_out() {
        return;
    }
    for url in [
        "postgres://ann:secret@127.0.0.1:1/bridge".to_owned(),
        format!("{}_none", database().url()),
    ] {
        let away = open(&Place::new(url.parse::<Address>().unwrap()), &roomy(), &clock()).await;

        let away = away.err().unwrap();
        assert!(matches!(away, Error::Away(_)), "{away:?}");
        assert!(!away.to_string().contains("secret"), "{away}");
    }
}
