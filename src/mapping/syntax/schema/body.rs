//! `body:`

use super::value::path;
use super::{Block, Schema};
use crate::mapping::body::FORMATS;

pub(super) fn body() -> Schema {
    let names = || Schema::text().one_or_list();
    let root = Schema::either([path(), path().any_list()]);
    let each = Schema::pattern(
        r"^\$([.\[][\s\S]*)?(\[\*\]|\.\*)$",
        "a path from `$` that ends in `[*]`, such as `$.data[*]`",
    );
    Block::new()
        .about("How a request's body is read, and which part of it is an event.")
        .key(
            "format",
            Schema::words_of(FORMATS),
            "What the body is taken for. Default `auto`: what the content type says.",
        )
        .key("parse_json", names(), "Fields that hold JSON as text.")
        .key(
            "always_arrays",
            names(),
            "XML, forms, multipart: these are arrays also when there is only one.",
        )
        .key(
            "root",
            root,
            "Paths, each to one value at most: the first that is there becomes the document.",
        )
        .key(
            "each",
            each,
            "A batch: each item of this array is an event of its own, and `$` is then the item.",
        )
        .key("max", Schema::text(), "The largest body that is taken, such as `5MiB`.")
        .schema()
}
