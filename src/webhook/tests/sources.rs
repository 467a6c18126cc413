//! The sources in force, and what is counted for them.

use super::*;

#[actix_web::test]
async fn every_series_is_there_from_the_start_and_the_gauges_go_with_their_source() {
    let house = House::new();
    for line in [
        r#"intake_requests_total{outcome="accepted",source="open"} 0"#,
        r#"intake_requests_total{outcome="shed",source="open"} 0"#,
        r#"intake_requests_total{outcome="rejected",source="unknown"} 0"#,
        r#"intake_rejections_total{reason="timestamp_skew",source="github"} 0"#,
        r#"rule_matches_total{rule="new-lead",source="open"} 0"#,
        r#"mapping_errors_total{reason="several",rule="new-lead",source="open"} 0"#,
        r#"source_up{source="open"} 1"#,
        r#"source_up{source="closed"} 0"#,
        r#"mappings_rules{source="open"} 1"#,
    ] {
        assert!(house.page_has(line), "{line}");
    }
    house.call(json_post("/hooks/nobody", "{}")).await;
    assert!(
        house.page_has(r#"intake_rejections_total{reason="unknown_source",source="unknown"} 1"#)
    );

    house.install(&[("other", "none")]);

    assert!(house.page_has(r#"source_up{source="other"} 1"#));
    assert!(!house.metrics.page().unwrap().contains(r#"source_up{source="open"}"#));
    assert_eq!(house.call(json_post("/hooks/open", "{}")).await.status(), 404);
    assert_eq!(house.call(json_post("/hooks/other", "{}")).await.status(), 200);
}

#[test]
fn a_set_with_a_verify_that_cannot_be_read_is_refused_as_a_whole() {
    let metrics = Metrics::new().unwrap();
    let mut silent = Arc::into_inner(source("silent", "none")).unwrap();
    silent.verify = None;
    let sources = [source("good", "none"), source("bad", "{ preset: gihub }"), Arc::new(silent)];

    let flaws = Doors::build(sources, &OneSecret, &metrics).err().unwrap();

    let named: Vec<_> = flaws.iter().map(|flaw| flaw.source.name.as_str()).collect();
    assert_eq!(named, ["bad", "silent"]);
    assert_eq!(flaws[1].problems[0].message, "`verify` is missing here");
}
