//! The results of tests as `JUnit` XML, as build servers read it.
//!
//! The format has no specification of its own; this is the part that [Jenkins' schema] and others agree on.
//!
//! [Jenkins' schema]: https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd

use super::test::Row;

/// The report: a suite for each source, a case for each test. Rows of one source stand together.
pub(super) fn report(rows: &[Row]) -> String {
    let suites: String =
        rows.chunk_by(|one, other| one.source == other.source).map(suite).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"chatflow-bridge\" {}>\n{suites}</testsuites>\n",
        counts(rows)
    )
}

fn counts(rows: &[Row]) -> String {
    let failed = rows.iter().filter(|row| !row.passed).count();
    let seconds: f64 = rows.iter().map(|row| row.elapsed.as_secs_f64()).sum();
    format!("tests=\"{}\" failures=\"{failed}\" errors=\"0\" time=\"{seconds:.6}\"", rows.len())
}

fn suite(rows: &[Row]) -> String {
    let name = rows.first().map(|row| escaped(&row.source)).unwrap_or_default();
    let cases: String = rows.iter().map(case).collect();
    format!("  <testsuite name=\"{name}\" {}>\n{cases}  </testsuite>\n", counts(rows))
}

fn case(row: &Row) -> String {
    let head = format!(
        "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.6}\"",
        escaped(&row.source),
        escaped(&row.test),
        escaped(&row.file),
        row.place.line,
        row.elapsed.as_secs_f64()
    );
    if row.passed {
        return format!("{head}/>\n");
    }
    let first = row.failures.first().map(String::as_str).unwrap_or_default();
    format!(
        "{head}>\n      <failure type=\"expectation\" message=\"{}\">{}</failure>\n    </testcase>\n",
        escaped(first),
        escaped(&row.failures.join("\n"))
    )
}

/// Text as it can stand in an element or an attribute; characters that XML 1.0 does not have are replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::mapping::diagnostics::Place;

    fn row(source: &str, test: &str, failures: &[&str]) -> Row {
        Row {
            source: source.to_owned(),
            test: test.to_owned(),
            file: "mappings/crm.yaml".to_owned(),
            place: Place { line: 12, column: 5 },
            passed: failures.is_empty(),
            failures: failures.iter().map(|&failure| failure.to_owned()).collect(),
            elapsed: Duration::from_micros(1500),
        }
    }

    #[test]
    fn a_source_is_a_suite_and_what_xml_does_not_have_is_not_in_it() {
        let rows = [
            row("crm", "fine", &[]),
            row("crm", "a < \"b\" & c\u{7}", &["expected `x`, got\n`<y>`", "more"]),
            row("shop", "fine", &[]),
        ];
        assert_eq!(
            report(&rows),
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="chatflow-bridge" tests="3" failures="1" errors="0" time="0.004500">
  <testsuite name="crm" tests="2" failures="1" errors="0" time="0.003000">
    <testcase classname="crm" name="fine" file="mappings/crm.yaml" line="12" time="0.001500"/>
    <testcase classname="crm" name="a &lt; &quot;b&quot; &amp; c�" file="mappings/crm.yaml" line="12" time="0.001500">
      <failure type="expectation" message="expected `x`, got&#10;`&lt;y&gt;`">expected `x`, got&#10;`&lt;y&gt;`&#10;more</failure>
    </testcase>
  </testsuite>
  <testsuite name="shop" tests="1" failures="0" errors="0" time="0.001500">
    <testcase classname="shop" name="fine" file="mappings/crm.yaml" line="12" time="0.001500"/>
  </testsuite>
</testsuites>
"#
        );
    }
}
