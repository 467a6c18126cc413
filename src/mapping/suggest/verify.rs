//! How the sender can be told from a stranger, judged by the headers it sends.

use super::yaml::{self, Lines};

/// Writes `verify`, with what the person has to do for it.
pub(super) fn write(
    lines: &mut Lines,
    source: &str,
    headers: &[(String, String)],
    presets: &[String],
) {
    let variable = source.to_ascii_uppercase().replace('-', "_");
    if let Some((preset, others)) = presets.split_first() {
        lines.comment(0, &format!(
            "The sender signs: the secret that it shows (or takes) where the webhook is set up goes into the variable {variable}_SECRET."
        ));
        if !others.is_empty() {
            lines.comment(0, &format!("also possible: preset: {}", others.join(", ")));
        }
        lines.line(0, "verify:");
        lines.line(2, &format!("preset: {}", yaml::scalar(preset)));
        lines.line(2, &format!("secret: env:{variable}_SECRET"));
        return;
    }
    let authorization = headers.iter().find(|(name, _)| name == "authorization");
    if authorization.is_some_and(|(_, value)| starts_with(value, "bearer ")) {
        lines.comment(0, &format!(
            "The sender sends a bearer token: the same text goes into the variable {variable}_TOKEN."
        ));
        lines.line(0, "verify:");
        lines.line(2, "bearer:");
        lines.line(4, &format!("secret: env:{variable}_TOKEN"));
        return;
    }
    if let Some((name, _)) = headers.iter().find(|(name, _)| is_token(name)) {
        lines.comment(0, &format!(
            "The sender sends a header of your own: what stands in it goes into the variable {variable}_TOKEN."
        ));
        lines.line(0, "verify:");
        lines.line(2, "token:");
        lines.line(4, "in: header");
        lines.line(4, &format!("name: {}", yaml::scalar(name)));
        lines.line(4, &format!("secret: env:{variable}_TOKEN"));
        return;
    }
    for (name, _) in headers.iter().filter(|(name, _)| is_signature(name)) {
        lines.comment(0, &format!(
            "The header {name} looks like a signature that no preset knows: `verify: hmac:` can describe it, and is better than this."
        ));
    }
    if authorization.is_some_and(|(_, value)| starts_with(value, "basic ")) {
        lines.comment(0, "The sender sends a user name and a password: `verify: basic:` with username and password can check them.");
    }
    lines.comment(0, &format!(
        "A word that only you and the sender know, at the end of the address: make one up (`openssl rand -hex 16`), put it into the variable {variable}_TOKEN, and give the sender https://YOUR-HOST/hooks/{source}/THE-WORD"
    ));
    lines.line(0, "verify:");
    lines.line(2, "token:");
    lines.line(4, "in: path");
    lines.line(4, &format!("secret: env:{variable}_TOKEN"));
}

fn starts_with(value: &str, scheme: &str) -> bool {
    value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

fn is_token(name: &str) -> bool {
    let of_a_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let says = ["token", "apikey", "api-key", "secret"].iter().any(|word| name.contains(word));
    name.starts_with('x')
        && says
        && !is_signature(name)
        && name.bytes().all(of_a_name)
        && !name.contains("hook-secret")
}

fn is_signature(name: &str) -> bool {
    ["signature", "hmac", "-sig"].iter().any(|word| name.contains(word))
        && !name.contains("version")
}
