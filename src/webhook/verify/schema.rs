//! `verify:` as an editor knows it, with the words of the readers' own tables.

use serde_json::json;

use super::presets;
use super::read::{ALGORITHMS, ENCODINGS, KEYS, STAMP_FORMS};
use crate::mapping::syntax::schema::{Block, Schema};

/// The schema of the value of `verify`.
pub fn schema() -> Schema {
    let ways = || Schema::named("verify").list();
    Schema::either([
        Schema::words(["none"]),
        secret(Block::new(), "secret")
            .need("preset", Schema::words(presets::names()), "A known sender.")
            .key("tolerance", tolerance(), TOLERANCE)
            .schema(),
        way("hmac", hmac(), "A signature: HMAC of what was sent."),
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

fn way(name: &'static str, value: Schema, about: &str) -> Schema {
    Block::new().need(name, value, about).schema()
}

fn tolerance() -> Schema {
    Schema::text()
}

fn secret(block: Block, name: &'static str) -> Block {
    let one = Schema::text();
    let several = one.clone().list();
    block.need(
        name,
        Schema::either([one, several]),
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
    ])
}

fn hmac() -> Schema {
    let header = || Block::new().need("header", Schema::text(), "The header.").schema();
    let query = Block::new().need("query", Schema::text(), "The parameter of the query.").schema();
    let timestamp = Block::new()
        .need("format", Schema::words_of(STAMP_FORMS), "How the time is written.")
        .key("tolerance", tolerance(), TOLERANCE)
        .key("header", Schema::text(), "The header that carries it, where the signature does not.");
    secret(Block::new(), "secret")
        .need("signature", Schema::either([header(), query]), "Where the signature stands.")
        .key("algorithm", Schema::words_of(ALGORITHMS), "Default `sha256`.")
        .key("key", Schema::words_of(KEYS), "What the secret's text is. Default `utf8`.")
        .key(
            "encoding",
            Schema::words_of(ENCODINGS),
            "How the signature is written. Default `hex`.",
        )
        .key(
            "digest",
            Schema::boolean(),
            "A plain digest with the secret among the parts, not an HMAC.",
        )
        .key("strip", Schema::text(), "What goes before the secret and is not part of it.")
        .key("format", Schema::text(), "What the header holds. Default `{signature}`.")
        .key("signed", Schema::text(), "What is signed. Default `{body}`.")
        .key("timestamp", timestamp.schema(), "The time that is signed.")
        .key("id", header(), "The id that is signed.")
        .schema()
        .with("minProperties", json!(2))
}
