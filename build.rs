//! Lists what stands in `mappings/`, so that a file put there is inside the program without being named anywhere.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=mappings");
    let list = format!(
        "/// The shipped mapping files.\n\
         const MAPPINGS: &[Shipped] = &[{}];\n\
         /// The events that their tests read.\n\
         const FIXTURES: &[Fixture] = &[{}];\n",
        entries("mappings", Some("yaml"), |path, name| {
            let name = name.trim_end_matches(".yaml");
            format!("Shipped {{ name: {name:?}, text: include_str!({path}) }},")
        })?,
        entries("mappings/fixtures", None, |path, name| {
            format!(
                "Fixture {{ name: {:?}, body: include_bytes!({path}) }},",
                format!("fixtures/{name}")
            )
        })?,
    );
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets `OUT_DIR`"))?;
    fs::write(Path::new(&out).join("library.rs"), list)
}

/// An entry for each file of a folder that has this extension: where it stands, as an expression, and its name.
fn entries(
    folder: &str,
    extension: Option<&str>,
    entry: impl Fn(&str, &str) -> String,
) -> io::Result<String> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|found| Ok(found?.path())).collect::<io::Result<_>>()?;
    files.sort();
    let wanted = |file: &PathBuf| {
        let is_of_kind =
            extension.is_none_or(|kind| file.extension().is_some_and(|own| own == kind));
        file.is_file() && is_of_kind
    };
    let mut list = String::new();
    for file in files.into_iter().filter(wanted) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        let path = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{folder}/{name}\")");
        writeln!(list, "{}", entry(&path, &name)).map_err(io::Error::other)?;
    }
    Ok(list)
}
