//! A request as a person has it: as a raw HTTP message in a file, or in pieces on the command line.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use jiff::Timestamp;

use super::mappings;
use crate::clock::{Clock, SystemClock};
use crate::mapping::Set;
use crate::settings::{Secrets, Settings, environment};
use crate::webhook::head::{Head, Headers};
use crate::webhook::verify::{SecretRef, VerifySpec};
use crate::webhook::{PublicUrl, verify_of};

/// Which sender a request is of: a source of the mappings, or a preset alone.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Sender {
    /// The source whose `verify:` counts
    #[arg(long, value_name = "SOURCE", required_unless_present = "preset")]
    pub(super) source: Option<String>,
    /// The sender's preset, without any mapping
    #[arg(long, value_name = "PRESET", conflicts_with = "source", requires = "secret")]
    pub(super) preset: Option<String>,
    /// The secret, instead of the source's own: `env:NAME` or `file:/path`
    #[arg(long, value_name = "SECRET")]
    pub(super) secret: Option<String>,
    /// What a preset wants beside its secret, such as `webhook_id=…`
    #[arg(long = "set", value_name = "NAME=VALUE", requires = "preset")]
    pub(super) settings: Vec<String>,
    /// The time to judge and sign by, instead of now: RFC 3339 or unix seconds
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

impl Sender {
    /// What its requests are held against.
    pub(super) fn spec(&self, settings: &Settings) -> anyhow::Result<VerifySpec> {
        let secret = self.secret.as_deref().map(reference).transpose()?;
        let spec = match (&self.preset, &self.source) {
            (Some(preset), _) => {
                let pairs: Option<Vec<_>> =
                    self.settings.iter().map(|pair| pair.split_once('=')).collect();
                let pairs = pairs.context("`--set` takes NAME=VALUE")?;
                VerifySpec::preset(preset, "", &pairs).with_context(|| {
                    let known: Vec<_> = crate::webhook::verify::presets().collect();
                    format!("there is no preset `{preset}`; there are {}", known.join(", "))
                })?
            }
            (None, Some(source)) => of_source(source, &settings.mappings.dir)?,
            (None, None) => bail!("name the sender: `--source SOURCE` or `--preset PRESET`"),
        };
        Ok(match secret {
            Some(secret) => spec.with_secret(&secret),
            None => spec,
        })
    }

    /// Whether it was said on the command line.
    pub(super) const fn says_when(&self) -> bool {
        self.at.is_some()
    }

    /// The time that counts.
    pub(super) fn now(&self) -> anyhow::Result<Timestamp> {
        let Some(text) = &self.at else { return Ok(SystemClock.now()) };
        let seconds = text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        seconds.or_else(|| text.parse().ok()).with_context(|| {
            format!("`{text}` is no time: write `2026-11-23T12:00:00Z` or unix seconds")
        })
    }

    /// The secrets of this machine.
    pub(super) fn secrets() -> Secrets {
        Secrets::new(environment::variables())
    }
}

fn reference(text: &str) -> anyhow::Result<SecretRef> {
    if let Some(name) = text.strip_prefix("env:").filter(|name| !name.is_empty()) {
        return Ok(SecretRef::Variable(name.to_owned()));
    }
    if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
        return Ok(SecretRef::File(path.into()));
    }
    // What stands on a command line stands in the shell's history and in the list of processes.
    bail!("`--secret` takes `env:NAME` or `file:/path`, never the secret itself")
}

fn of_source(name: &str, folder: &Path) -> anyhow::Result<VerifySpec> {
    let read = mappings::read(folder)?;
    let Some(set) = &read.set else {
        bail!("the mappings have errors; `chatflow-bridge check` shows them");
    };
    let Some(source) = Set::get(set, name) else {
        let known: Vec<_> = set.iter().map(|source| source.name.as_str()).collect();
        bail!("there is no source `{name}`; there are {}", known.join(", "));
    };
    let (spec, problems) = verify_of(source);
    spec.with_context(|| {
        let first = problems.into_iter().next().map(|problem| problem.message);
        format!("`verify` of `{name}` cannot be used: {}", first.unwrap_or_default())
    })
}

/// A request in pieces, or in a file.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Message {
    /// The whole request as a raw HTTP message: request line, headers, an empty line, the body
    #[arg(long, value_name = "FILE", conflicts_with_all = ["body", "headers", "method"])]
    request: Option<PathBuf>,
    /// The body, byte for byte; `-` reads standard input
    #[arg(long, value_name = "FILE", required_unless_present_any = ["request", "rejected"])]
    body: Option<PathBuf>,
    /// A header; may be repeated
    #[arg(long = "header", value_name = "'NAME: VALUE'")]
    headers: Vec<String>,
    /// The URL that the sender posts to [default: of the request, behind `server.public_url`]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The method
    #[arg(long, value_name = "METHOD", default_value = "POST")]
    method: String,
    /// The address of the client, where `ip:` asks for it
    #[arg(long, value_name = "ADDRESS")]
    client: Option<IpAddr>,
}

/// A request to be judged.
pub(super) struct Given {
    pub(super) head: Head,
    pub(super) body: Vec<u8>,
    /// What the request says of itself and is not so.
    pub(super) note: Option<String>,
}

impl Message {
    /// Reads it. `source` is the one it is for, where that is known.
    pub(super) fn read(&self, source: Option<&str>, settings: &Settings) -> anyhow::Result<Given> {
        let (method, target, headers, body) = match (&self.request, &self.body) {
            (Some(file), _) => {
                let message = bytes_of(file)?;
                raw(&message).with_context(|| {
                    format!("`{}` is no HTTP message: a request line, headers, an empty line and the body are expected", file.display())
                })?
            }
            (None, Some(file)) => {
                let target = format!("/hooks/{}", source.unwrap_or("source"));
                (self.method.clone(), target, headers_of(&self.headers)?, bytes_of(file)?)
            }
            (None, None) => bail!("give the request: `--request FILE` or `--body FILE`"),
        };
        let note = length_note(&headers, body.len());
        let public = settings.intake.public_url.as_ref().map(PublicUrl::origin);
        let url = self.url.clone().unwrap_or(target);
        let (origin, rest) = match split(&url) {
            Some((origin, rest)) => (Some(origin.into()), rest),
            None => (public, url.as_str()),
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let token = source.and_then(|source| {
            let behind = path.split_once(&format!("/hooks/{source}/"))?.1;
            Some(crate::decode::percent_decoded(behind))
        });
        let head = Head {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            token,
            headers,
            origin,
            client: self.client,
        };
        Ok(Given { head, body, note })
    }
}

/// The bytes of a file, or of standard input.
pub(super) fn bytes_of(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(file).with_context(|| format!("`{}` cannot be read", file.display()))
}

/// Headers as they are written on a command line.
pub(super) fn headers_of(lines: &[String]) -> anyhow::Result<Headers> {
    let mut headers = Headers::default();
    for line in lines {
        let (name, value) = line.split_once(':').context("`--header` takes 'NAME: VALUE'")?;
        headers.add(name.trim(), value.trim());
    }
    Ok(headers)
}

/// A URL before and from its path on; nothing for a path alone.
pub(super) fn split(url: &str) -> Option<(&str, &str)> {
    let authority = url.split_once("://")?.1;
    let rest = authority
        .split_once(['/', '?'])
        .map_or("", |(host, _)| authority.get(host.len()..).unwrap_or_default());
    Some((url.strip_suffix(rest)?, rest))
}

/// Takes a raw HTTP message apart; lines may end in LF alone, since editors make them so.
fn raw(message: &[u8]) -> Option<(String, String, Headers, Vec<u8>)> {
    let mut rest = message;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, behind) = rest.split_at_checked(end)?;
        rest = behind.get(1..)?;
        std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()
    };
    let mut words = line()?.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Headers::default();
    loop {
        let line = line()?;
        if line.is_empty() {
            return Some((method, target, headers, rest.to_vec()));
        }
        let (name, value) = line.split_once(':')?;
        headers.add(name.trim(), value.trim());
    }
}

fn length_note(headers: &Headers, found: usize) -> Option<String> {
    let said: usize = headers.first("content-length")?.trim().parse().ok()?;
    (said != found).then(|| {
        format!("the body has {found} bytes, its `content-length` says {said}: the file is not what was sent, byte for byte")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_message_is_taken_apart_and_its_body_kept_byte_for_byte() {
        let message = b"POST /hooks/a?b=c HTTP/1.1\r\nHost: x\r\nX-A:  1 \r\n\r\n{\r\n}\n";
        let (method, target, headers, body) = raw(message).unwrap();
        assert_eq!((method.as_str(), target.as_str()), ("POST", "/hooks/a?b=c"));
        assert_eq!(headers.first("x-a"), Some("1"));
        assert_eq!(body, b"{\r\n}\n");
        assert!(raw(b"POST / HTTP/1.1\nA: b\n\n").is_some());
        for broken in [&b""[..], b"POST", b"POST / HTTP/1.1\nA: b\n", b"POST / HTTP/1.1\nAb\n\n"] {
            assert!(raw(broken).is_none());
        }
    }

    #[test]
    fn a_url_is_split_before_its_path() {
        for (url, parts) in [
            ("https://a.example/h?x=/", Some(("https://a.example", "/h?x=/"))),
            ("http://a.example:80?x", Some(("http://a.example:80", "?x"))),
            ("http://a.example", Some(("http://a.example", ""))),
            ("/hooks/a", None),
        ] {
            assert_eq!(split(url), parts, "{url}");
        }
    }
}
