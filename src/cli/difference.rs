//! Expected and actual, line by line and in colour.

use serde_json::Value;

use super::style::Style;

/// The lines of both: `-` for what only `expected` has, `+` for what only `actual` has. What rules gave is held against
/// what is expected of the same rule and item.
pub(super) fn lines(expected: &Value, actual: &Value, style: Style) -> Vec<String> {
    let (Value::Array(wanted), Value::Array(found)) = (expected, actual) else {
        return of_both(Some(expected), Some(actual), style);
    };
    let mut left: Vec<&Value> = found.iter().collect();
    let mut lines = Vec::new();
    for expected in wanted {
        let is_meant = |actual: &&Value| {
            actual.get("rule") == expected.get("rule") && actual.get("item") == expected.get("item")
        };
        let actual = left.iter().position(is_meant).map(|at| left.remove(at));
        lines.extend(of_both(Some(&listed(expected)), actual.map(listed).as_ref(), style));
    }
    lines.extend(left.into_iter().flat_map(|actual| of_both(None, Some(&listed(actual)), style)));
    lines
}

/// A value as the only item of a list.
fn listed(value: &Value) -> Value {
    Value::Array(vec![value.clone()])
}

fn of_both(expected: Option<&Value>, actual: Option<&Value>, style: Style) -> Vec<String> {
    let [old, new] = [expected, actual].map(|value| {
        let mut lines = Vec::new();
        if let Some(value) = value {
            write(value, 0, &mut lines);
        }
        lines
    });
    merged(&old, &new)
        .into_iter()
        .map(|line| match line {
            Line::Both(text) => style.faint(&format!("  {text}")),
            Line::Expected(text) => style.bad(&format!("- {text}")),
            Line::Actual(text) => style.good(&format!("+ {text}")),
        })
        .collect()
}

/// A value as YAML would have it, in block style.
fn write(value: &Value, indent: usize, out: &mut Vec<String>) {
    let margin = " ".repeat(indent);
    match value {
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let first = out.len();
                write(item, indent + 2, out);
                if let Some(line) = out.get_mut(first) {
                    *line = format!("{margin}- {}", line.trim_start());
                }
            }
        }
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        out.push(format!("{margin}{name}:"));
                        write(value, indent + 2, out);
                    }
                    value => out.push(format!("{margin}{name}: {value}")),
                }
            }
        }
        value => out.push(format!("{margin}{value}")),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Line<'t> {
    Both(&'t str),
    Expected(&'t str),
    Actual(&'t str),
}

/// The longest common lines, and between them what only one side has.
fn merged<'t>(old: &'t [String], new: &'t [String]) -> Vec<Line<'t>> {
    // `common[i][j]` is how many lines `old[i..]` and `new[j..]` have in common.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    let at = |common: &[Vec<usize>], i: usize, j: usize| {
        common.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0)
    };
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            let longest = if one == other {
                at(&common, i + 1, j + 1) + 1
            } else {
                at(&common, i + 1, j).max(at(&common, i, j + 1))
            };
            if let Some(cell) = common.get_mut(i).and_then(|row| row.get_mut(j)) {
                *cell = longest;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    loop {
        match (old.get(i), new.get(j)) {
            (Some(one), Some(other)) if one == other => {
                lines.push(Line::Both(one));
                (i, j) = (i + 1, j + 1);
            }
            (Some(one), other)
                if other.is_none() || at(&common, i + 1, j) >= at(&common, i, j + 1) =>
            {
                lines.push(Line::Expected(one));
                i += 1;
            }
            (_, Some(other)) => {
                lines.push(Line::Actual(other));
                j += 1;
            }
            (_, None) => return lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_stands_side_by_side_and_the_rest_around_it() {
        let expected = json!([{"rule": "lead", "update": {"name": "Ann", "attributes": {"city": "Pune"}, "optin": true}}]);
        let actual = json!([{"rule": "lead", "update": {"name": "Anna", "optin": true, "tags_to_add": ["a"]}}]);

        insta::assert_snapshot!(lines(&expected, &actual, Style::PLAIN).join("\n"), @r#"
          - rule: "lead"
            update:
        -     name: "Ann"
        -     attributes:
        -       city: "Pune"
        +     name: "Anna"
              optin: true
        +     tags_to_add: ["a"]
        "#);
    }

    #[test]
    fn a_word_and_a_list_differ_as_a_whole() {
        let lines =
            lines(&json!("ignored"), &json!([{"rule": "a", "no_effect": true}]), Style::PLAIN);

        assert_eq!(lines, ["- \"ignored\"", "+ - rule: \"a\"", "+   no_effect: true"]);
    }
}
