//! The reference of the settings, made from the table that the program itself uses.

use super::keys::{KEYS, Kind};

/// `docs/settings.md`, whole.
pub fn reference() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Made by `make docs` from the table that the program itself uses.\n\n\
         Defaults, then the settings file (`--config FILE`; without it `chatflow-bridge.yaml` in the current folder, if there \
         is one), then the environment, then flags: the later wins. In the environment a key is written with the prefix `BRIDGE_` \
         and `__` between levels: `server.hooks` is `BRIDGE_SERVER__HOOKS`. Durations are written as `30s`, `15m`, `7d`, sizes as \
         `64KiB`, `1MiB`, `10GiB`; a list in the environment is separated by commas. Unknown keys are errors. \
         `chatflow-bridge config` prints what is in force and where each value came from.\n\n\
         | key | default | what it is |\n| --- | --- | --- |\n",
    );
    for key in KEYS {
        let default = key
            .default
            .filter(|text| !text.is_empty())
            .map_or_else(|| "–".to_owned(), |text| format!("`{text}`"));
        let row = format!("| `{}` | {default} | {}{} |\n", key.name, key.help, kind(key.kind));
        page.push_str(&row);
    }
    page
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::List => " (a list)",
        Kind::Secret => " (never shown)",
        Kind::Store => " (its password is never shown)",
        _ => "",
    }
}
