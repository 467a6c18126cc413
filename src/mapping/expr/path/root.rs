//! The root of a path: what stands between `$` and the first `.` or `[`.

use super::PathError;
use crate::mapping::expr::scope::Names;

/// What a path starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mapping) enum Root {
    /// `$`: the event's document.
    Document,
    /// `$item`: the current item.
    Item,
    /// `$batch`: the whole document where `body.each` split it.
    Batch,
    /// `$headers`: the request's headers, in lower case.
    Headers,
    /// `$query`: the request's query.
    Query,
    /// `$event`: what is known about the event.
    Event,
    /// `$name`: a `let`, by its place among the names.
    Let(usize),
}

/// The root and what follows it.
pub(super) fn split<'t>(text: &'t str, names: &Names) -> Result<(Root, &'t str), PathError> {
    let Some(rest) = text.strip_prefix('$') else {
        return Err(PathError::new(0, "a path begins with `$`")
            .help(format!("`$.{text}` is a path from the event's document")));
    };
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    if name.is_empty() {
        return Ok((Root::Document, rest));
    }
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(at) = name.find(|c| !of_a_name(c)) {
        return Err(PathError::new(at + 1, "the name of a root has letters, digits and `_`").help(
            format!(
                "`$['{name}']` for a member of the document, `{{ value: \"{text}\" }}` for text"
            ),
        ));
    }
    resolve(name, names).map(|root| (root, rest)).map_err(|(message, help)| PathError {
        message,
        offset: 1,
        help,
    })
}

/// The root a name stands for, or the message and help that say why there is none.
pub(in crate::mapping) fn resolve(
    name: &str,
    names: &Names,
) -> Result<Root, (String, Option<String>)> {
    match name {
        "headers" => return Ok(Root::Headers),
        "query" => return Ok(Root::Query),
        "event" => return Ok(Root::Event),
        "item" if names.has_item() => return Ok(Root::Item),
        "item" => {
            return Err((
                "there is no current item here".to_owned(),
                Some("`item` can be read under `for_each` and inside `index`".to_owned()),
            ));
        }
        "batch" if names.has_batch() => return Ok(Root::Batch),
        "batch" => {
            return Err((
                "there is no batch: `body.each` does not split the document".to_owned(),
                None,
            ));
        }
        _ => {}
    }
    names.index_of(name).map(Root::Let).ok_or_else(|| {
        let help = match (name, names.nearest(name)) {
            ("body", _) => Some("the event's document is `$`".to_owned()),
            (_, Some(nearest)) => Some(format!("did you mean `{nearest}`?")),
            (_, None) => Some(format!("`$.{name}` is a member of the event's document")),
        };
        (format!("no `let` is named `{name}`"), help)
    })
}
