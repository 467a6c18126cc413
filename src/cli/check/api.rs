//! `check --api`: whether what rules use exists in Chatflow's settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;

use crate::chatflow::Client;
use crate::cli::serve::settings_of;
use crate::cli::{Common, runtime};
use crate::mapping::{Report, Set, tags_not_among};
use crate::server::api_key;
use crate::telemetry::metrics::Metrics;

/// Adds a warning for every tag that the API does not know; gives what nobody can ask it.
pub(super) fn ask(
    common: &Common,
    set: &Set,
    texts: &BTreeMap<String, String>,
    reports: &mut [Report],
) -> anyhow::Result<Vec<String>> {
    let mut to_do = Vec::new();
    match known_tags(common)? {
        Some(known) => {
            for source in set.iter() {
                let mut missing = source.needs().tags;
                missing.retain(|tag| !known.contains(tag));
                if !missing.is_empty() {
                    to_do.push(format!(
                        "source `{}`: make these tags in Chatflow's settings: {}",
                        source.name,
                        missing.join(", ")
                    ));
                }
            }
            for report in reports {
                let sources = set.iter().filter(|source| source.file == report.file);
                let text = texts.get(&report.file).map(String::as_str).unwrap_or_default();
                let unknown =
                    sources.flat_map(|source| tags_not_among(&known, source, text)).collect();
                report.add(unknown);
            }
        }
        None => to_do.push(
            "the API did not say which tags exist: see in Chatflow's settings that those of the rules do".to_owned(),
        ),
    }
    for source in set.iter() {
        let attributes = source.needs().attributes;
        if !attributes.is_empty() {
            to_do.push(format!(
                "source `{}`: the API cannot be asked for attributes, see in Chatflow's settings that these exist: {}",
                source.name,
                attributes.join(", ")
            ));
        }
    }
    Ok(to_do)
}

/// The tags that exist; nothing where the answer does not tell.
fn known_tags(common: &Common) -> anyhow::Result<Option<Vec<String>>> {
    let (settings, _) = settings_of(common)?;
    crate::chatflow::install_tls();
    let key = api_key(&settings.chatflow)?;
    let client = Client::new(&settings.chatflow, &key, 1, Arc::new(Metrics::new()?))?;
    runtime()?.block_on(client.tags()).context("the API could not be asked for its tags")
}
