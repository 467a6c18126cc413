//! Countries and time zones by their names.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::node::Node;
use super::problem::{Code, Problem, Problems};
use super::scalar;
use crate::mapping::expr::nearest;

/// A country by its two letters.
pub(super) fn country(node: &Node, problems: &mut Problems) -> Option<phonenumber::country::Id> {
    let text = scalar::text(node, "a country", problems)?;
    let found = text.parse().ok();
    if found.is_none() {
        let problem = Problem::error(
            Code::Place,
            node.span.clone(),
            format!("`{text}` is no country: two letters of ISO 3166 are expected, such as `IN`"),
        );
        let upper = text.to_uppercase();
        problems.add(match upper.parse::<phonenumber::country::Id>() {
            Ok(_) => problem.help(format!("did you mean `{upper}`?")),
            Err(_) => problem,
        });
    }
    found
}

/// A time zone of the database that is in the program, so that it is the same on every machine.
pub(super) fn timezone(node: &Node, problems: &mut Problems) -> Option<TimeZone> {
    let text = scalar::text(node, "a time zone", problems)?;
    let zones = TimeZoneDatabase::bundled();
    let found = zones.get(text).ok();
    if found.is_none() {
        let known: Vec<_> = zones.available().map(|zone| zone.to_string()).collect();
        let problem = Problem::error(
            Code::Place,
            node.span.clone(),
            format!("`{text}` is no time zone: a name such as `Asia/Kolkata` is expected"),
        );
        // Near an abbreviation such as `IST` there are only others.
        let near = nearest(text, known.iter().map(String::as_str)).filter(|_| text.contains('/'));
        problems.add(match near {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        });
    }
    found
}
