//! `let:`: named values, each of which may read those before it.

use super::expr::{Expr, Names, Reading};
use super::syntax::{Code, Fields, Node, Problem, Problems, scalar};

/// Reads a block of `let`s on top of the names that can be read there; gives the names that can be read after it.
pub(super) fn read(
    node: &Node,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> (Names, Vec<Expr>) {
    let mut names = reading.names.clone();
    let mut values = Vec::new();
    let Some(mut fields) = Fields::of(node, problems) else { return (names, values) };
    for (key, value) in fields.rest() {
        let name = key.as_text().unwrap_or_default();
        if Names::RESERVED.contains(&name) {
            let message = format!("`{name}` is no name for a `let`: it already means something");
            problems.error(Code::Name, &key.span, message);
        } else if !scalar::is_name(name) {
            problems.add(
                Problem::error(
                    Code::Name,
                    key.span.clone(),
                    format!("`{name}` is no name for a `let`"),
                )
                .help("letters, digits and `_`, no digit first"),
            );
        }
        let found = Expr::read(value, &Reading { names: &names, ..*reading }, problems);
        names = names.with_let(name);
        // Without a value there is an error, and the numbers of the names no longer matter.
        values.extend(found);
    }
    (names, values)
}
