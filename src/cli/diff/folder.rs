//! Events in a folder: a file for each, and what a file cannot say in another beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::incoming::Incoming;
use crate::mapping::testing::usual_content_type;

/// How the name of the file ends that says what a body cannot.
pub(super) const META: &str = ".meta.json";

/// What stands beside a body. Names that are not known are passed over: captures have more to say.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Meta {
    /// A name; anything else says something else.
    source: Value,
    headers: BTreeMap<String, String>,
    query: Query,
    content_type: Option<String>,
    received_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Query {
    Text(String),
    Members(BTreeMap<String, String>),
}

impl Default for Query {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// The events of a folder and of its subfolders, in the order of their names.
pub(super) fn read(folder: &Path, source: Option<&str>) -> anyhow::Result<Vec<Incoming>> {
    let mut events = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            if source.is_some() && source != name.as_deref() {
                continue;
            }
            for file in entries(&path)?.into_iter().filter(|path| path.is_file()) {
                events.extend(event(&file, folder, name.as_deref())?);
            }
        } else {
            events.extend(event(&path, folder, source)?);
        }
    }
    Ok(events)
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unreadable = || format!("the folder `{}` cannot be read", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// The event of a file; nothing for one that stands beside another.
fn event(
    path: &Path,
    folder: &Path,
    source_of_folder: Option<&str>,
) -> anyhow::Result<Option<Incoming>> {
    let name = path.strip_prefix(folder).unwrap_or(path).display().to_string();
    if name.ends_with(META) {
        return Ok(None);
    }
    let unreadable = || format!("`{}` cannot be read", path.display());
    let body = fs::read(path).with_context(unreadable)?;
    let meta = path.with_extension(META.trim_start_matches('.'));
    let Meta { source, headers, query, content_type, received_at } = match fs::read(&meta) {
        Ok(text) => serde_json::from_slice(&text)
            .with_context(|| format!("`{}` cannot be read", meta.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Meta::default(),
        Err(error) => return Err(error).with_context(unreadable),
    };
    let source = source.as_str().or(source_of_folder).with_context(|| {
        format!(
            "`{name}` does not say which source it is for: name it with `--source`, by a subfolder, or as `source` in \
             `{}`",
            meta.display()
        )
    })?;
    let headers: Vec<_> =
        headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
    let said = headers.iter().find(|(name, _)| name == "content-type");
    Ok(Some(Incoming {
        content_type: content_type
            .or_else(|| said.map(|(_, value)| value.clone()))
            .or_else(|| usual_content_type(&name, &body).map(Into::into)),
        source: source.to_owned(),
        headers,
        query: match query {
            Query::Text(text) => text,
            Query::Members(members) => encoded(&members),
        },
        body,
        received_at: received_at.unwrap_or(Timestamp::UNIX_EPOCH),
        item: None,
        name,
    }))
}

/// A query whose names and values are as they are given.
fn encoded(members: &BTreeMap<String, String>) -> String {
    let escaped = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        let one = |byte: u8| {
            if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        };
        text.bytes().map(one).collect()
    };
    let pairs: Vec<_> = members
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    pairs.join("&")
}
