//! `suggest`: from one captured event to a first mapping with tests.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::files::{self, Files};
use super::shipped;
use super::style::Style;
use crate::decode::{self, Options};
use crate::event::SourceName;
use crate::library::Shipped;
use crate::mapping::suggest::{Captured, suggest};
use crate::mapping::testing::usual_content_type;
use crate::webhook::verify;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge suggest event.json\n  chatflow-bridge suggest event.json --source crm --header 'X-Event-Type: lead.created' --write .\n  chatflow-bridge suggest event.json --country IN\n  curl -s https://example.com/last-event | chatflow-bridge suggest - --source crm\n\nWithout --write the mapping is printed. With it, DIR/mappings/NAME.yaml and the event as\nDIR/mappings/fixtures/NAME-1.json are written, never over a file."
)]
pub(super) struct Arguments {
    /// The body of one event, as it was sent; `-` reads it from standard input
    file: PathBuf,
    /// The name of the source [default: the sender's, where its signature says it, else the file's]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// A header that came with it; may be repeated. Values of credentials are never written anywhere
    #[arg(long, value_name = "K: V")]
    header: Vec<String>,
    /// The content type it came with
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// The country for which a phone number without dialing code is read, such as IN
    #[arg(long, value_name = "COUNTRY")]
    country: Option<String>,
    /// Write the mapping and the event below this folder instead of printing the mapping
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// Suggest from the event even where a mapping for its sender is shipped
    #[arg(long)]
    anyway: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (body, headers) = match (headers(&arguments.header), country(arguments)) {
        (Ok(headers), Ok(())) => (read(&arguments.file)?, headers),
        (Err(wrong), _) | (_, Err(wrong)) => return Ok(wrong_usage(&wrong)),
    };
    let said = headers.iter().find(|(name, _)| name == "content-type");
    let content_type = arguments.content_type.as_deref().or(said.map(|(_, value)| value.as_str()));
    let document = decode::document(content_type, &body, &Options::default())
        .with_context(|| format!("`{}` cannot be read as an event", arguments.file.display()))?;
    let presets: Vec<String> = verify::recognise(&headers).into_iter().map(str::to_owned).collect();
    if !arguments.anyway
        && let Some((shipped, known_by)) = shipped::recognise(&document, &headers, &presets)
    {
        return offer(shipped, &known_by, arguments);
    }
    let source = match source(arguments, presets.first()) {
        Ok(source) => source,
        Err(wrong) => return Ok(wrong_usage(&wrong)),
    };
    let extension = extension(content_type, &body);
    let fixture = format!("fixtures/{source}-1.{extension}", source = source.as_str());
    // A name that says nothing leaves the content type to be said.
    let unsaid = content_type.filter(|_| usual_content_type(&fixture, &body).is_none());
    let suggestion = suggest(&Captured {
        source: &source,
        document: &document,
        headers: &headers,
        presets: &presets,
        country: arguments.country.as_deref(),
        body_file: arguments.write.is_some().then_some((fixture.as_str(), unsaid)),
    });
    let style = Style::of_stderr();
    for warning in &suggestion.warnings {
        eprintln!("{} {warning}", style.bad("note:"));
    }
    let Some(folder) = &arguments.write else {
        print!("{}", suggestion.text);
        return Ok(ExitCode::SUCCESS);
    };
    let mapping = format!("mappings/{}.yaml", source.as_str());
    let files =
        vec![(mapping, suggestion.text.into_bytes()), (format!("mappings/{fixture}"), body)];
    write(folder, &files)?;
    eprintln!("next: read it, then `chatflow-bridge check` and `chatflow-bridge test`");
    Ok(ExitCode::SUCCESS)
}

/// Prints or writes the shipped mapping of the event's sender.
fn offer(shipped: &Shipped, known_by: &str, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let name = shipped.name;
    eprintln!(
        "{} this looks like an event of `{name}` (by {known_by}): here is the mapping that is shipped for it; \
         `--anyway` suggests one from the event nevertheless",
        Style::of_stderr().good("note:")
    );
    let Some(folder) = &arguments.write else {
        print!("{}", shipped.text);
        return Ok(ExitCode::SUCCESS);
    };
    let mut files = vec![(format!("mappings/{name}.yaml"), shipped.text.as_bytes().to_vec())];
    let fixtures = shipped.fixtures();
    files.extend(fixtures.map(|known| (format!("mappings/{}", known.name), known.body.to_vec())));
    write(folder, &files)?;
    Ok(ExitCode::SUCCESS)
}

fn wrong_usage(message: &str) -> ExitCode {
    eprintln!("{} {message}", Style::of_stderr().bad("error:"));
    ExitCode::from(2)
}

fn headers(given: &[String]) -> Result<Vec<(String, String)>, String> {
    let read = |header: &String| {
        let (name, value) = header
            .split_once(':')
            .filter(|(name, _)| !name.trim().is_empty())
            .ok_or_else(|| {
                "`--header` takes a name and a value: `--header 'X-Event-Type: lead.created'`"
                    .to_owned()
            })?;
        Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    };
    given.iter().map(read).collect()
}

fn country(arguments: &Arguments) -> Result<(), String> {
    match &arguments.country {
        Some(country) if country.parse::<phonenumber::country::Id>().is_err() => Err(format!(
            "`{country}` is no country: two letters as in ISO 3166 are expected, such as `IN`"
        )),
        _ => Ok(()),
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return std::fs::read(file).with_context(|| format!("`{}` cannot be read", file.display()));
    }
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body).context("standard input cannot be read")?;
    Ok(body)
}

/// The name that is given, that of the sender whose signature was seen, or that of the file.
fn source(arguments: &Arguments, preset: Option<&String>) -> Result<SourceName, String> {
    if let Some(name) = &arguments.source {
        return SourceName::try_from(name.as_str()).map_err(|error| format!("`{name}`: {error}"));
    }
    let stem = arguments.file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
    let stem = stem.unwrap_or_default().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let stem: String = stem.trim_matches('-').chars().take(40).collect();
    let name = preset.map_or(stem.as_str(), String::as_str);
    SourceName::try_from(name)
        .map_err(|_| "the source needs a name: say it with `--source`".to_owned())
}

/// How a file with this body is named, so that tests know what it is.
fn extension(content_type: Option<&str>, body: &[u8]) -> &'static str {
    if matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return "json";
    }
    match content_type.and_then(|kind| kind.split(';').next()).map(str::trim) {
        Some("application/x-www-form-urlencoded") => "form",
        Some("multipart/form-data") => "multipart",
        Some("application/xml" | "text/xml") => "xml",
        Some("application/x-ndjson") => "ndjson",
        Some("application/json") | None => "json",
        Some(_) => "body",
    }
}

/// Writes files that are not there yet: all of them or, where one is there, none.
fn write(folder: &Path, files: &Files) -> anyhow::Result<()> {
    if let Some(name) = files::there(folder, files).first() {
        anyhow::bail!(
            "`{}` is there already, and is never written over: another name with `--source`, or move it away",
            folder.join(name).display()
        );
    }
    for path in files::write_new(folder, files)? {
        eprintln!("wrote {}", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
