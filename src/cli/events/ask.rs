//! Before anything is changed a person is asked.

use std::io::{BufRead, IsTerminal, Write};

/// What a person says.
pub(super) enum Said {
    Yes,
    No,
    /// There is nobody to ask.
    Nobody,
}

/// Asks on the terminal; `yes` was said already by a flag.
pub(super) fn ask(question: &str, yes: bool) -> anyhow::Result<Said> {
    if yes {
        return Ok(Said::Yes);
    }
    let stdin = std::io::stdin();
    if !stdin.is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(Said::Nobody);
    }
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    let is_yes = matches!(answer.trim(), "y" | "Y" | "yes");
    Ok(if is_yes { Said::Yes } else { Said::No })
}
