//! The reference of the mapping language: every example in it is run.

/// The examples that are whole files.
pub(crate) fn mappings() -> Vec<(String, String)> {
    Vec::new()
}
