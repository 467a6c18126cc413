//! `# check: allow W012 because …`: a warning silenced for one line, with the reason.

use super::problem::{Code, Problem, Severity};

const MARK: &str = "# check: allow ";

/// The warnings that a file allows, and where.
pub(in crate::mapping) struct Allowed<'t> {
    silent: Vec<(std::ops::Range<usize>, &'t str)>,
    /// What is wrong with the comments themselves.
    pub(in crate::mapping) wrong: Vec<Problem>,
}

impl<'t> Allowed<'t> {
    /// Finds the comments in the text of a file.
    pub(in crate::mapping) fn read(text: &'t str) -> Self {
        let mut found = Self { silent: Vec::new(), wrong: Vec::new() };
        let mut waiting: Vec<&str> = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let here = start..start + line.len();
            start = here.end;
            let only_a_comment = line.trim_start().starts_with('#');
            if let Some((before, comment)) = line.split_once(MARK)
                && (before.trim().is_empty() || before.ends_with([' ', '\t']))
            {
                let mark = here.start + before.len()..here.start + line.trim_end().len();
                match code_of(comment) {
                    Ok(code) if only_a_comment => waiting.push(code),
                    Ok(code) => found.silent.push((here.clone(), code)),
                    Err(message) => found.wrong.push(
                        Problem::error(Code::Word, mark, message)
                            .help("`# check: allow W012 because …`, on the line or the one above"),
                    ),
                }
            }
            if !only_a_comment && !line.trim().is_empty() {
                found.silent.extend(waiting.drain(..).map(|code| (here.clone(), code)));
            }
        }
        found
    }

    /// Whether a problem is a warning that is allowed where it stands.
    pub(in crate::mapping) fn silences(&self, problem: &Problem) -> bool {
        problem.severity() == Severity::Warning
            && self.silent.iter().any(|(line, code)| {
                line.contains(&problem.span.start) && *code == problem.code.as_str()
            })
    }
}

fn code_of(comment: &str) -> Result<&str, &'static str> {
    let (code, rest) = comment.trim().split_once(' ').unwrap_or((comment.trim(), ""));
    let known = Code::ALL.iter().any(|known| known.as_str() == code && code.starts_with('W'));
    if !known {
        return Err("the code of a warning is expected");
    }
    let reason = rest.trim_start().strip_prefix("because").map(str::trim);
    match reason {
        Some(reason) if !reason.is_empty() => Ok(code),
        _ => Err("a warning is silenced with a reason: `because …`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_silenced_for_one_line_and_with_a_reason() {
        for (text, left) in [
            ("tags: a\n", vec!["W006"]),
            ("tags: a # check: allow W006 because it is the only source\n", vec![]),
            ("# check: allow W006 because it is the only source\ntags: a\n", vec![]),
            ("# check: allow W006 because it is the only source\nname: b\ntags: a\n", vec!["W006"]),
            ("tags: a # check: allow W005 because of something else\n", vec!["W006"]),
            ("tags: a # check: allow W006\n", vec!["W006", "E006"]),
            ("tags: a # check: allow W999 because\n", vec!["W006", "E006"]),
        ] {
            let at = text.find("tags:").unwrap();
            let warning = Problem::warning(Code::ReplacesTags, &(at..at + 4), "replaces", "add");
            let allowed = Allowed::read(text);
            let stays = Some(&warning).filter(|warning| !allowed.silences(warning));
            let codes: Vec<_> =
                stays.into_iter().chain(&allowed.wrong).map(|p| p.code.as_str()).collect();
            assert_eq!(codes, left, "{text}");
        }
    }
}
