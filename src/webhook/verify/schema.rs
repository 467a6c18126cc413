//! `verify:` as an editor knows it, with the words of the readers' own tables.

use serde_json::json;

use super::parameters::{
    ASYMMETRIC, ENCODINGS, HASHES, KEYS, SIGNED_BYTES, SPELLINGS, STAMP_FORMS,
};
use super::presets;
use crate::mapping::syntax::schema::{Block, Schema};
use crate::webhook::handshake::Handshake;

/// The schema of the value of `verify`.
pub fn schema() -> Schema {
    let ways = || Schema::named("verify").list();
    Schema::either([
        Schema::words(["none"]),
        preset(),
        way("hmac", hmac(), "A signature: HMAC of what was sent."),
        way("public_key", public_key(), "A signature that a public key checks."),
        way("ip", Schema::text().one_or_list(), "Addresses or ranges that may send."),
        way("token", token(), "A word that only you and the sender know."),
        way(
            "basic",
            secret(Block::new().need("username", Schema::text(), "The user's name."), "password")
                .schema(),
            "A name and a password.",
        ),
        way(
            "bearer",
            secret(Block::new(), "secret").schema(),
            "A token in the header `Authorization`.",
        ),
        way("all", ways(), "All of these must hold."),
        way("any", ways(), "One of these must hold."),
    ])
}

const TOLERANCE: &str =
    "How far the signed time may be off, such as `5m`; `none` where any time will do.";

fn preset() -> Schema {
    let mut block = Block::new()
        .need("preset", Schema::words(presets::names()), "A known sender.")
        .key("secret", secrets(), "The secret that the sender shows.")
        .key("key", Schema::text().one_or_list(), "The public key, where the sender has one.")
        .key("version", Schema::text(), "The one version of the scheme that is taken.")
        .key("tolerance", tolerance(), TOLERANCE)
        .key("signed_bytes", Schema::words_of(SIGNED_BYTES), "Which bytes are signed.");
    let mut names: Vec<_> = presets::summaries().flat_map(|preset| preset.settings).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        if !matches!(name, "secret" | "key" | "challenge_token") {
            block = block.key(name, Schema::text(), "What this sender's scheme needs besides.");
        }
    }
    greeted(block).schema()
}

/// With what a sender may ask before it sends events.
fn greeted(block: Block) -> Block {
    block
        .key("handshake", Schema::words_of(&Handshake::words()), "What the sender asks first.")
        .key("challenge_token", secrets(), "The token that the sender asks with.")
}

fn way(name: &'static str, value: Schema, about: &str) -> Schema {
    greeted(Block::new().need(name, value, about)).schema()
}

fn tolerance() -> Schema {
    Schema::text()
}

fn secrets() -> Schema {
    Schema::text().one_or_list()
}

fn secret(block: Block, name: &'static str) -> Block {
    block.need(
        name,
        secrets(),
        "`env:NAME` or `file:/path`; a list while the sender changes over from one to the next.",
    )
}

fn token() -> Schema {
    let named = |block: Block, place: &'static str| {
        secret(block.need("in", Schema::words([place]), "Where it stands."), "secret")
    };
    Schema::either([
        named(Block::new(), "path").schema(),
        named(Block::new(), "query")
            .key("name", Schema::text(), "The parameter. Default `token`.")
            .schema(),
        named(Block::new(), "header").need("name", Schema::text(), "The header.").schema(),
        named(Block::new(), "body").need("path", Schema::text(), "Where in the body.").schema(),
    ])
}

fn hmac() -> Schema {
    scheme(secret(Block::new(), "secret"))
        .key("algorithm", Schema::words_of(HASHES), "Default `sha256`.")
        .key("key", Schema::words_of(KEYS), "What the secret's text is. Default `utf8`.")
        .key(
            "digest",
            Schema::boolean(),
            "A plain digest with the secret among the parts, not an HMAC.",
        )
        .schema()
        .with("minProperties", json!(2))
}

fn public_key() -> Schema {
    scheme(Block::new().need("key", Schema::text().one_or_list(), "The key: hex, base64 or PEM."))
        .need("algorithm", Schema::words_of(ASYMMETRIC), "The kind of signature.")
        .schema()
}

/// What both kinds of signature have.
fn scheme(block: Block) -> Block {
    let header = || Block::new().need("header", Schema::text(), "The header.").schema();
    let query =
        || Block::new().need("query", Schema::text(), "The parameter of the query.").schema();
    let body = Block::new().need("json", Schema::text(), "The path in the body.").schema();
    let timestamp = Block::new()
        .need("format", Schema::words_of(STAMP_FORMS), "How the time is written.")
        .key("tolerance", tolerance(), TOLERANCE)
        .key("header", Schema::text(), "The header that carries it.")
        .key("query", Schema::text(), "The parameter that carries it.")
        .key("json", Schema::text(), "Where in the body it stands.");
    block
        .need("signature", Schema::either([header(), query(), body]), "Where the signature stands.")
        .key(
            "encoding",
            Schema::words_of(ENCODINGS),
            "How the signature is written. Default `hex`.",
        )
        .key("strip", Schema::text(), "What goes before the secret and is not part of it.")
        .key("format", Schema::text(), "What the header holds. Default `{signature}`.")
        .key("signed", Schema::text(), "What is signed. Default `{body}`.")
        .key(
            "url",
            Schema::words_of(SPELLINGS).one_or_list(),
            "The spellings of the signed address that are tried.",
        )
        .key("timestamp", timestamp.schema(), "The time that is signed.")
        .key("id", header(), "The id that is signed.")
        .key("body_hash", query(), "The parameter that carries a hash of the body.")
        .key("sole", Schema::text(), "The list in the body that may have one item only.")
        .key("signed_bytes", Schema::words_of(SIGNED_BYTES), "Which bytes are signed.")
}
