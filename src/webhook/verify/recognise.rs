//! Which sender signs like this.

use super::presets;
use super::scheme::Place;

/// The presets that need a secret and nothing else, and whose signature is among these headers (names in lower case), the likeliest first: one whose own
/// scheme it is before one that knows it besides, and one whose name the headers speak before the rest.
pub fn recognise(headers: &[(String, String)]) -> Vec<&'static str> {
    let is_there = |place: &Place| match place {
        Place::Header(name) => headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)),
        Place::Query(_) | Place::Json(_) => false,
    };
    let mut found: Vec<_> = presets::names()
        .filter_map(|name| {
            let preset = presets::find(name).filter(|preset| preset.settings().is_empty())?;
            let at = preset.schemes.iter().position(|scheme| is_there(&scheme.signature))?;
            Some((!is_spoken_of(name, headers), at, name))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(.., name)| name).collect()
}

fn is_spoken_of(preset: &str, headers: &[(String, String)]) -> bool {
    let says = |text: &str| text.to_ascii_lowercase().contains(preset);
    headers.iter().any(|(name, value)| says(name) || (name == "user-agent" && says(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_known_by_the_header_of_its_signature() {
        for (names, first) in [
            (vec!["tally-signature"], Some("tally")),
            (vec!["x-hub-signature-256", "x-github-event"], Some("github")),
            (vec!["x-shopify-hmac-sha256", "x-shopify-topic"], Some("shopify")),
            (vec!["webhook-signature"], Some("standard-webhooks")),
            (vec!["svix-signature"], Some("svix")),
            (vec!["content-type"], None),
        ] {
            let headers: Vec<_> =
                names.iter().map(|name| ((*name).to_owned(), String::new())).collect();
            assert_eq!(recognise(&headers).first().copied(), first, "{names:?}");
        }
    }
}
