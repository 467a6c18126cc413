//! Reads every `crate::` path in `src` and holds it against the layers of `ARCHITECTURE.md`:
//! a module uses what stands below it, and in the layers of parts and doors nothing beside it.

#[cfg(test)]
mod layers {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::{Path, PathBuf};

    const LAYERS: &[(u8, &[&str])] = &[
        (5, &["main", "lib", "cli", "server", "settings"]),
        (4, &["webhook", "admin", "delivery"]),
        (3, &["mapping", "decode", "store", "chatflow"]),
        (2, &["contact", "event"]),
        (1, &["telemetry", "clock", "problem", "document", "secret", "units", "library"]),
    ];

    fn layer_of(module: &str) -> Option<u8> {
        LAYERS.iter().find(|(_, modules)| modules.contains(&module)).map(|(layer, _)| *layer)
    }

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    /// The module a file belongs to: the first folder or the file's stem under `src`.
    fn module_of(root: &Path, file: &Path) -> String {
        let first = file.strip_prefix(root).unwrap().components().next().unwrap();
        Path::new(first.as_os_str()).file_stem().unwrap().to_str().unwrap().to_owned()
    }

    /// The first segment of every `crate::…` path, those of a nested `use crate::{a, b::c}` too.
    fn used_modules(text: &str) -> Vec<String> {
        let identifier = |text: &str| -> String {
            text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        };
        let mut used = Vec::new();
        let mut pieces = text.split("crate::");
        let mut before = pieces.next().unwrap_or_default();
        for rest in pieces {
            let of_a_macro = before.ends_with('$');
            before = rest;
            if of_a_macro {
                continue;
            }
            let Some(group) = rest.strip_prefix('{') else {
                used.push(identifier(rest));
                continue;
            };
            let mut depth = 0;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => used.push(identifier(std::mem::take(&mut item).trim())),
                    _ if depth == 0 => item.push(c),
                    _ => {}
                }
            }
            used.push(identifier(item.trim()));
        }
        used.retain(|module| !module.is_empty());
        used
    }

    #[test]
    fn a_module_uses_only_what_stands_below_it() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        sources(&root, &mut files);
        let mut wrong = BTreeMap::new();

        for file in &files {
            let module = module_of(&root, file);
            let layer = layer_of(&module).unwrap_or_else(|| panic!("`{module}` has no layer"));
            for used in used_modules(&fs::read_to_string(file).unwrap()) {
                let Some(below) = layer_of(&used) else { continue };
                let beside = below == layer && used != module && matches!(layer, 3 | 4);
                if below > layer || beside {
                    wrong.insert(file.display().to_string(), format!("{module} uses {used}"));
                }
            }
        }

        assert!(files.len() > 10, "the sources were not found");
        assert_eq!(wrong, BTreeMap::new());
    }

    #[test]
    fn nested_paths_are_seen() {
        let text = "use crate::{store::{Error, Store}, contact, clock::Clock};\nlet x = crate::mapping::plan();";

        assert_eq!(used_modules(text), ["store", "contact", "clock", "mapping"]);
    }
}
