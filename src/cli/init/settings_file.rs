//! The settings file that `init` writes: what a newcomer sets first, everything else by its default.

use crate::cli::sender::Sender;

/// Its text for these senders.
pub(super) fn text(chosen: &[Sender]) -> String {
    let signing: Vec<_> = chosen
        .iter()
        .filter(|sender| sender.signs_url())
        .map(|own| own.head.sender.as_str())
        .collect();
    let public_url = if signing.is_empty() {
        "  # How senders reach the bridge, for those that sign the URL.\n".to_owned()
    } else {
        format!(
            "  # How senders reach the bridge. {} signs the URL: without this its source answers 503.\n",
            signing.join(", ")
        )
    };
    format!(
        "\
# The settings of chatflow-bridge. Everything that can be set, with its default, is in docs/settings.md;
# `chatflow-bridge config` shows what is in force and where each value comes from.
#
# The API key does not stand here: it comes from the variable BRIDGE_CHATFLOW__API_KEY, or from a file:
# chatflow:
#   api_key_file: /run/secrets/chatflow-api-key
server:
  # Where senders post to; put TLS before it, or the bridge behind a proxy that has it.
  hooks: 0.0.0.0:8080
{public_url}  # public_url: https://YOUR-HOST
store:
  # Where accepted work waits until it is delivered: on a disk that stays.
  url: sqlite:chatflow-bridge.db
mappings:
  # One file a source; changes are taken while the bridge runs.
  dir: mappings
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Sources, load};

    #[test]
    fn it_is_read_and_says_no_more_than_the_defaults() {
        let text = text(&Sender::all().unwrap());
        let file = Some(("chatflow-bridge.yaml".into(), text));
        let read = |file| {
            let (settings, _) = load(&Sources { file, ..Sources::default() }).unwrap();
            format!("{settings:?}")
        };
        assert_eq!(read(file), read(None));
    }
}
