//! Shipped mappings that another release has otherwise.

use super::candidate::Files;
use crate::mapping::LIBRARY;

/// The shipped mappings that files extended when they were kept, and that are another text now.
pub(super) fn otherwise(kept: &[(String, String)], now: &Files) -> Vec<String> {
    let shipped = |(name, _): &&(String, String)| name.starts_with(LIBRARY);
    let other = |(name, text): &&(String, String)| {
        kept.iter().any(|(kept_name, kept_text)| kept_name == name && kept_text != text)
    };
    now.iter().filter(shipped).filter(other).map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_release_ships_otherwise_is_named() {
        let files = |typeform: &str, own: &str| {
            [("library:typeform", typeform), ("library:tally", "same"), ("a.yaml", own)]
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .to_vec()
        };
        assert_eq!(otherwise(&files("old", "x"), &files("new", "y")), ["library:typeform"]);
        assert_eq!(otherwise(&files("old", "x"), &files("old", "y")), [""; 0]);
        assert_eq!(otherwise(&[], &files("new", "y")), [""; 0]);
    }
}
