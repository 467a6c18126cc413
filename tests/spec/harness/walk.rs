//! Walking through a page of the documentation: its commands are run, and say what it shows.

use std::path::Path;
use std::process::{Command, Output};

use super::program;

/// The first fenced block of a text.
pub(crate) fn block(text: &str) -> String {
    let (_, rest) = text.split_once("```").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// The block behind a mark of a page.
pub(crate) fn marked(page: &str, mark: &str) -> String {
    block(page.split_once(mark).unwrap_or_else(|| panic!("`{mark}` is missing")).1)
}

/// Runs a line of a shell in which `chatflow-bridge` is the program; gives what it says.
pub(crate) fn shell(folder: &Path, line: &str, variables: &[(&str, &str)]) -> String {
    let program = program();
    let bin = Path::new(program.get_program()).parent().unwrap();
    let Output { stdout, stderr, .. } = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    String::from_utf8([stdout, stderr].concat()).unwrap()
}

/// Runs the commands of a block, each behind `$ `; what is shown below one it says, line by line and in that order.
/// `…` stands for any lines, at the end of a line for any rest. Gives how many there were.
pub(crate) fn walk(folder: &Path, block: &str, more: &str, variables: &[(&str, &str)]) -> usize {
    let mut commands = 0;
    for shown in format!("\n{block}").split("\n$ ").skip(1) {
        let (line, expected) = shown.split_once('\n').unwrap_or((shown, ""));
        let said = shell(folder, &format!("{line}{more}"), variables);
        let mut lines = said.lines();
        for wanted in expected.lines().filter(|line| *line != "…") {
            let is_said = |line: &str| match wanted.strip_suffix('…') {
                Some(start) => line.starts_with(start),
                None => line == wanted,
            };
            assert!(
                lines.any(is_said),
                "`{line}`: `{wanted}` is missing, or stands elsewhere, in:\n{said}"
            );
        }
        commands += 1;
    }
    commands
}
