//! The library against the folder it is made of, and against the form that `mappings/README.md` asks for.

use std::collections::BTreeSet;
use std::path::Path;

use super::head::Head;
use super::{FIXTURES, all};

fn names_in(folder: &str, extension: Option<&str>) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|file| {
            file.is_file() && extension.is_none_or(|own| file.extension().is_some_and(|e| e == own))
        })
        .map(|file| file.file_name().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_file_of_the_folder_is_inside_the_program() {
    let inside: BTreeSet<_> =
        all().iter().map(|shipped| format!("{}.yaml", shipped.name)).collect();
    assert_eq!(inside, names_in("mappings", Some("yaml")));

    let inside: BTreeSet<_> = FIXTURES.iter().map(|fixture| fixture.name.to_owned()).collect();
    let there = names_in("mappings/fixtures", None);
    assert_eq!(inside, there.iter().map(|name| format!("fixtures/{name}")).collect());
}

#[test]
fn every_event_is_read_by_a_test_of_one_mapping() {
    for fixture in FIXTURES {
        let readers: Vec<_> =
            all().iter().filter(|shipped| shipped.names(fixture)).map(|own| own.name).collect();
        assert_eq!(readers.len(), 1, "{}: {readers:?}", fixture.name);
    }
}

#[test]
fn every_mapping_begins_with_the_comment_that_its_page_is_made_of() {
    for shipped in all() {
        let head =
            Head::read(shipped.text).unwrap_or_else(|error| panic!("{}: {error}", shipped.name));
        assert!(!head.about.ends_with('.'), "{}: `{}`", shipped.name, head.about);
        assert!(!shipped.text.contains("YOUR-HOST"), "{}: the page says the URL", shipped.name);
    }
}
