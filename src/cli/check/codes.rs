//! `check --explain CODE` and `check --list-codes`: what the codes mean.

use crate::cli::style::Style;
use crate::mapping::syntax::Code;

/// What a code means, an example of it, and what to write instead.
pub(super) fn explained(code: Code, style: Style) -> String {
    let example = code.example();
    format!(
        "{} {}\n{}\n{}\n\n{}\n\n{}\n\n{}\n\n{}\n",
        style.heading(code.as_str()),
        kind(code),
        meaning(code),
        style.bad("Wrong:"),
        indented(example.wrong),
        style.good("Right:"),
        indented(example.right),
        if code.as_str().starts_with('W') {
            format!(
                "Where it is meant, silence it for the line: `# check: allow {} because …`.",
                code.as_str()
            )
        } else {
            "A set with an error is not put in force.".to_owned()
        }
    )
}

/// Every code with the first sentence of its meaning.
pub(super) fn list(style: Style) -> String {
    let line = |code: &Code| {
        let meaning = meaning(*code).split_whitespace().collect::<Vec<_>>().join(" ");
        let sentence = meaning.split_once(". ").map_or(meaning.as_str(), |(first, _)| first);
        format!("{}  {}\n", style.heading(code.as_str()), sentence.trim_end_matches('.'))
    };
    Code::ALL.iter().map(line).collect()
}

fn kind(code: Code) -> &'static str {
    if code.as_str().starts_with('W') { "(warning)" } else { "(error)" }
}

/// The meaning, without the blank that begins each line of a doc comment.
fn meaning(code: Code) -> String {
    code.explanation().lines().flat_map(|line| [line.trim(), "\n"]).collect()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
