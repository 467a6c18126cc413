//! Defaults, file, environment, flags: which wins.

use std::path::PathBuf;

use config::{Config, ConfigError, Map, Source, Value, ValueKind};

use super::keys::{KEYS, Kind, find, nearest};
use super::{Effective, Line, Settings, check, file};
use crate::store::settings::StoreUrl;

const PREFIX: &str = "BRIDGE_";

/// Where values come from besides the defaults, so that tests can say what the environment is.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The settings file, its path and its text, where there is one.
    pub file: Option<(PathBuf, String)>,
    /// Environment variables, name and value.
    pub environment: Vec<(String, String)>,
    /// Flags: the dotted key, the value, and the flag as it is written.
    pub flags: Vec<(&'static str, String, &'static str)>,
}

/// What is wrong with the settings: every problem, each with its place and what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Invalid(pub Vec<String>);

/// Values of one origin, each kept as the text it was written as, so that no secret of digits becomes a number.
#[derive(Debug, Clone)]
struct Texts(Vec<(String, String, String)>);

impl Source for Texts {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let text = |(key, value, origin): &(String, String, String)| {
            let kind = match find(key).map(|key| key.kind) {
                Some(Kind::List) => ValueKind::Array(
                    value
                        .split(',')
                        .map(str::trim)
                        .filter(|part| !part.is_empty())
                        .map(|part| Value::new(Some(origin), ValueKind::String(part.to_owned())))
                        .collect(),
                ),
                _ => ValueKind::String(value.clone()),
            };
            (key.clone(), Value::new(Some(origin), kind))
        };
        Ok(self.0.iter().map(text).collect())
    }
}

/// Reads the settings: the defaults, overlaid by the file, the environment and the flags.
pub fn load(sources: &Sources) -> Result<(Settings, Effective), Invalid> {
    let mut problems = Vec::new();
    let from_file = sources
        .file
        .as_ref()
        .map(|(path, text)| file::read(path, text, &mut problems))
        .unwrap_or_default();
    let defaults = KEYS.iter().filter_map(|key| {
        Some((key.name.to_owned(), key.default?.to_owned(), "default".to_owned()))
    });
    let mut environment = Vec::new();
    for (name, value) in &sources.environment {
        match variable(name) {
            Variable::Foreign => {}
            Variable::Setting(key) => {
                environment.push((key, value.clone(), format!("environment variable {name}")));
            }
            Variable::Wrong(problem) => problems.push(problem),
        }
    }
    let flags = sources
        .flags
        .iter()
        .map(|(key, value, flag)| ((*key).to_owned(), value.clone(), format!("flag {flag}")));
    if !problems.is_empty() {
        return Err(Invalid(problems));
    }

    let built = Config::builder()
        .add_source(Texts(defaults.collect()))
        .add_source(Texts(from_file))
        .add_source(Texts(environment))
        .add_source(Texts(flags.collect()))
        .build()
        .map_err(|error| Invalid(vec![error.to_string()]))?;
    let effective = effective(&built);
    problems.extend(effective.0.iter().filter_map(|line| {
        let written = value_of(&built.cache, line.key)?.clone().into_string().ok()?;
        let flaw = find(line.key)?.kind.flaw(&written)?;
        Some(format!("{}: `{}`: {flaw}", line.origin, line.key))
    }));
    if !problems.is_empty() {
        return Err(Invalid(problems));
    }
    let settings = Settings::take(&built).map_err(|error| Invalid(vec![error.to_string()]))?;
    problems.extend(check::across(&settings));
    if problems.is_empty() { Ok((settings, effective)) } else { Err(Invalid(problems)) }
}

enum Variable {
    /// Not one of ours.
    Foreign,
    /// The dotted key it sets.
    Setting(String),
    /// Meant as a setting, and none.
    Wrong(String),
}

/// What a variable's name means. Those without `__` are not settings, unless only an underscore is missing.
fn variable(name: &str) -> Variable {
    let Some(rest) = name.strip_prefix(PREFIX) else { return Variable::Foreign };
    let key = rest.to_lowercase().replace("__", ".");
    if find(&key).is_some() {
        return Variable::Setting(key);
    }
    let meant = KEYS.iter().find(|key| key.name.replace('.', "_") == rest.to_lowercase());
    match (meant, rest.contains("__")) {
        (Some(key), _) => Variable::Wrong(format!(
            "environment variable {name}: write {} (two underscores between levels)",
            written(key.name)
        )),
        (None, false) => Variable::Foreign,
        (None, true) => {
            let hint = nearest(&key)
                .map(|near| format!("; did you mean {}?", written(near)))
                .unwrap_or_default();
            Variable::Wrong(format!("environment variable {name}: no setting `{key}`{hint}"))
        }
    }
}

fn written(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

fn effective(built: &Config) -> Effective {
    let line = |key: &super::Key| {
        let value = value_of(&built.cache, key.name);
        Line {
            key: key.name,
            value: value.and_then(|value| shown(key.kind, value)),
            origin: value.and_then(Value::origin).unwrap_or("not set").to_owned(),
        }
    };
    Effective(KEYS.iter().map(line).collect())
}

/// A value as it may be shown: a secret never is.
fn shown(kind: Kind, value: &Value) -> Option<String> {
    match (kind, &value.kind) {
        (Kind::Secret, _) => Some("(set, not shown)".to_owned()),
        (Kind::Store, ValueKind::String(url)) => Some(StoreUrl::new(url.as_str()).to_string()),
        (_, ValueKind::Array(items)) => {
            let texts: Vec<_> =
                items.iter().filter_map(|item| item.clone().into_string().ok()).collect();
            Some(texts.join(","))
        }
        _ => value.clone().into_string().ok(),
    }
}

fn value_of<'a>(root: &'a Value, name: &str) -> Option<&'a Value> {
    name.split('.').try_fold(root, |value, part| match &value.kind {
        ValueKind::Table(members) => members.get(part),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn environment(variables: &[(&str, &str)]) -> Sources {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Sources { environment: variables.iter().map(owned).collect(), ..Sources::default() }
    }

    #[test]
    fn without_anything_said_the_defaults_are_in_force() {
        let (settings, effective) = load(&Sources::default()).unwrap();

        assert_eq!(settings.server.hooks.to_string(), "0.0.0.0:8080");
        assert_eq!(settings.server.shutdown_grace.0, Duration::from_secs(25));
        assert!(effective.0.iter().all(|line| line.origin == "default" || line.value.is_none()));
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_default() {
        let mut sources = environment(&[
            ("BRIDGE_SERVER__HOOKS", "127.0.0.1:1"),
            ("BRIDGE_SERVER__METRICS", "127.0.0.1:2"),
        ]);
        sources.flags.push(("server.hooks", "127.0.0.1:3".to_owned(), "--hooks"));

        let (settings, effective) = load(&sources).unwrap();

        assert_eq!(settings.server.hooks.port(), 3);
        assert_eq!(settings.server.metrics.port(), 2);
        let origins: Vec<_> = effective.0.iter().map(|line| line.origin.as_str()).collect();
        assert_eq!(
            origins[..3],
            ["flag --hooks", "environment variable BRIDGE_SERVER__METRICS", "default"]
        );
    }

    #[test]
    fn wrong_variables_are_named_all_at_once() {
        let sources = environment(&[
            ("BRIDGE_SERVER__HOKS", "127.0.0.1:1"),
            ("BRIDGE_SERVER_METRICS", "127.0.0.1:2"),
            ("BRIDGE_PORT", "tcp://10.0.0.1:8080"),
            ("PATH", "/bin"),
        ]);

        let Invalid(problems) = load(&sources).unwrap_err();

        assert_eq!(
            problems,
            [
                "environment variable BRIDGE_SERVER__HOKS: no setting `server.hoks`; did you mean BRIDGE_SERVER__HOOKS?",
                "environment variable BRIDGE_SERVER_METRICS: write BRIDGE_SERVER__METRICS (two underscores between levels)",
            ]
        );
    }

    #[test]
    fn a_value_that_does_not_fit_names_its_key_and_origin() {
        let error = load(&environment(&[("BRIDGE_SERVER__DRAIN_DELAY", "soon")])).unwrap_err();

        assert_eq!(
            error.to_string(),
            "environment variable BRIDGE_SERVER__DRAIN_DELAY: `server.drain_delay`: a duration is a number with a unit, such as `500ms`, `30s`, `15m`, `12h` or `7d`"
        );
    }
}
