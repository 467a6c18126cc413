//! What goes wrong around the store: its disk is full, broken or may only be read, its file is damaged, the clock is
//! set, somebody else has it. Whatever it is, a sender is told to come again rather than a lie, nothing that was
//! acknowledged is lost, and the program says what to do.
//!
//! The disks are real ones, in a namespace of mounts; where none may be made, [`told`] says so at the end of the run.

mod broken;
mod clocks;
mod damage;
mod room;
mod scene;
mod second;
mod sentences;

use std::io::Write;

/// Notes for the last line of `make test` how something was tried.
#[expect(clippy::print_stdout, reason = "a test that leaves something out says so")]
fn told(what: &str, how: &str) {
    println!("{what}: {how}");
    let Some(report) = std::env::var_os("BRIDGE_TESTS_REPORT") else { return };
    let mut report = std::fs::File::options().append(true).create(true).open(report).unwrap();
    writeln!(report, "{what}: {how}").unwrap();
}
