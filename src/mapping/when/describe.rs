//! A test in the words of the file, for those who ask why a rule did not match.

use std::fmt;

use super::test::{Order, Test, Turned};
use crate::mapping::expr::Expr;

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |f: &mut fmt::Formatter<'_>, name: &str, value: &Expr| {
            write!(f, "{name} {}", value.shown())
        };
        match self {
            Self::Equals(value, Turned::No) => one(f, "equals", value),
            Self::Equals(value, Turned::Yes) => one(f, "not_equals", value),
            Self::In(values, turned) => {
                let name = if *turned == Turned::No { "in" } else { "not_in" };
                let shown: Vec<_> = values.iter().map(Expr::shown).collect();
                write!(f, "{name} [{}]", shown.join(", "))
            }
            Self::Contains(value) => one(f, "contains", value),
            Self::StartsWith(value) => one(f, "starts_with", value),
            Self::EndsWith(value) => one(f, "ends_with", value),
            Self::Matches(pattern) => write!(f, "matches '{pattern}'"),
            Self::Exists(wanted) => write!(f, "exists {wanted}"),
            Self::Empty(wanted) => write!(f, "empty {wanted}"),
            Self::Compare(order, value) => {
                let name = match order {
                    Order::Gt => "gt",
                    Order::Gte => "gte",
                    Order::Lt => "lt",
                    Order::Lte => "lte",
                };
                one(f, name, value)
            }
            Self::AnyIs(tests) => several(f, "any_is", tests),
            Self::AllAre(tests) => several(f, "all_are", tests),
            Self::NoneIs(tests) => several(f, "none_is", tests),
            Self::Count(tests) => several(f, "count", tests),
        }
    }
}

fn several(f: &mut fmt::Formatter<'_>, name: &str, tests: &[Test]) -> fmt::Result {
    let tests: Vec<_> = tests.iter().map(ToString::to_string).collect();
    write!(f, "{name} {}", tests.join(" and "))
}
