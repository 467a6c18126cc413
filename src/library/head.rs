//! The comment at the beginning of a shipped mapping: what the sender is, and what a person does there.
//!
//! `mappings/README.md` has the form.

/// What the comment says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// The sender's own name.
    pub sender: String,
    /// What comes from it, in a few words.
    pub about: String,
    /// Where in the sender's interface the URL is pasted.
    pub place: String,
    /// Where the secret is found or set.
    pub secret: String,
    /// What the user is expected to change.
    pub adapt: String,
    /// What is missing where the events name no person.
    pub missing: Option<String>,
    /// What else must be known.
    pub notes: Vec<String>,
}

impl Head {
    /// Reads the comment of a mapping file.
    ///
    /// # Errors
    ///
    /// What is missing in it, or not known.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut paragraphs = paragraphs(text).into_iter();
        let title = paragraphs.next().unwrap_or_default();
        let (sender, about) = title.split_once(": ").ok_or_else(|| {
            format!("`# Sender: what comes` is expected first, `{title}` was found")
        })?;
        let mut head =
            Self { sender: sender.to_owned(), about: about.to_owned(), ..Self::default() };
        for paragraph in paragraphs {
            let (word, said) = paragraph.split_once(": ").unwrap_or((&paragraph, ""));
            let said = said.to_owned();
            match word {
                "Where" => head.place = said,
                "Secret" => head.secret = said,
                "Adapt" => head.adapt = said,
                "Missing" => head.missing = Some(said),
                "Note" => head.notes.push(said),
                _ => {
                    return Err(format!(
                        "no paragraph begins with `{word}`: see `mappings/README.md`"
                    ));
                }
            }
        }
        for (word, said) in
            [("Where", &head.place), ("Secret", &head.secret), ("Adapt", &head.adapt)]
        {
            if said.is_empty() {
                return Err(format!("the paragraph `# {word}:` is missing"));
            }
        }
        Ok(head)
    }
}

/// The paragraphs of the comment, each in one line; that for editors is passed over.
fn paragraphs(text: &str) -> Vec<String> {
    let comment = text.lines().map_while(|line| line.strip_prefix('#'));
    let mut found: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in comment.map(str::trim).filter(|line| !line.starts_with("yaml-language-server:")) {
        match found.last_mut() {
            _ if line.is_empty() => is_open = false,
            Some(last) if is_open => {
                last.push(' ');
                last.push_str(line);
            }
            _ => {
                found.push(line.to_owned());
                is_open = true;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_read_by_its_paragraphs() {
        let text = "# yaml-language-server: $schema=schema.json\n#\n# Acme CRM: leads and deals\n#\n\
            # Where: Settings, Webhooks:\n#   paste the URL.\n#\n# Secret: there too.\n#\n# Adapt: nothing.\n\
            #\n# Note: one.\n#\n# Note: two.\nsource: acme\n# Note: a comment of the file.\n";
        let head = Head::read(text).unwrap();

        assert_eq!((head.sender.as_str(), head.about.as_str()), ("Acme CRM", "leads and deals"));
        assert_eq!(head.place, "Settings, Webhooks: paste the URL.");
        assert_eq!((head.missing, head.notes), (None, vec!["one.".to_owned(), "two.".to_owned()]));
    }

    #[test]
    fn what_a_head_lacks_is_said() {
        for (text, said) in [
            ("source: acme\n", "is expected first"),
            ("# Acme: leads\n#\n# Where: here.\n#\n# Adapt: x\n", "`# Secret:` is missing"),
            ("# Acme: leads\n#\n# Why: because.\n", "`Why`"),
        ] {
            let error = Head::read(text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
