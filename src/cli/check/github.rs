//! `check --github`: problems as [annotations] of GitHub Actions.
//!
//! [annotations]: https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions

use crate::mapping::diagnostics::Diagnostic;

/// One line, which GitHub shows beside the line of the file.
pub(super) fn annotation(problem: &Diagnostic<'_>) -> String {
    let message = match problem.help {
        Some(help) => format!("{}\n{help}", problem.message),
        None => problem.message.to_owned(),
    };
    format!(
        "::{} file={},line={},col={},endLine={},endColumn={},title={}::{}",
        problem.severity,
        property(problem.file),
        problem.line,
        problem.column,
        problem.end.line,
        problem.end.column,
        property(problem.code),
        data(&message)
    )
}

/// What stands after the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which ends at a `,` or `:`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::diagnostics::Place;

    #[test]
    fn what_ends_a_property_or_a_line_is_escaped() {
        let problem = Diagnostic {
            file: "a,b:c.yaml",
            line: 3,
            column: 5,
            end: Place { line: 3, column: 9 },
            code: "E010",
            severity: "error",
            message: "100% of `a: b, c`",
            help: Some("write\r\nthis"),
        };
        assert_eq!(
            annotation(&problem),
            "::error file=a%2Cb%3Ac.yaml,line=3,col=5,endLine=3,endColumn=9,title=E010::100%25 of `a: b, c`%0Awrite%0D%0Athis"
        );
    }
}
