//! Colour, only for a terminal, and never with `NO_COLOR`.

use std::io::IsTerminal;

/// Whether and how text is coloured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style(bool);

impl Style {
    /// Text without colour.
    #[cfg(test)]
    pub(super) const PLAIN: Self = Self(false);

    pub(super) fn of_stdout() -> Self {
        Self(std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none())
    }

    pub(super) fn of_stderr() -> Self {
        Self(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
    }

    pub(super) const fn is_coloured(self) -> bool {
        self.0
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(super) fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.wrap("31", text)
    }

    pub(super) fn heading(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }
}
