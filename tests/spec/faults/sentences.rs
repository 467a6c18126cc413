//! What the program says when its store is in trouble, word for word: the tests see it said, and the page for
//! operators explains it.

pub(super) const DISK_FULL: &str = "the disk is full: make room on it, or move the store";
pub(super) const NOT_WRITABLE: &str = "cannot be written (Read-only file system (os error 30)): the folder of the store must be writable";
pub(super) const OPENED_ANEW: &str = "the store could not be written: its file is opened anew";
pub(super) const READ_ONLY: &str = "the file cannot be written: mend its permissions, or its file system is mounted to be read only";
pub(super) const GIVEN_UP: &str = "it is given up";
pub(super) const DAMAGED: &str = "the store is damaged: ";
pub(super) const HELD: &str = "the store is held by another process: process ";

#[test]
fn the_page_for_operators_has_every_sentence() {
    let page = include_str!("../../../docs/operations.md");
    for sentence in
        [DISK_FULL, NOT_WRITABLE, OPENED_ANEW, READ_ONLY, GIVEN_UP, DAMAGED.trim_end(), HELD]
    {
        assert!(page.contains(sentence), "docs/operations.md does not have: {sentence}");
    }
}
