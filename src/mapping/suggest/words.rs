//! The words of a key.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// The words of a key in lower case and without accents: `contactPhone_1` is contact, phone, 1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Words(Vec<String>);

impl Words {
    pub(super) fn of(key: &str) -> Self {
        let plain = DecomposingNormalizerBorrowed::new_nfd().normalize(key);
        let (mut words, mut word, mut before) = (Vec::new(), String::new(), ' ');
        for c in plain.chars().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')) {
            let starts = c.is_uppercase() && (before.is_lowercase() || before.is_numeric());
            if (starts || !is_of_a_word(c)) && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if is_of_a_word(c) {
                word.extend(c.to_lowercase());
            }
            before = c;
        }
        if !word.is_empty() {
            words.push(word);
        }
        for (first, second) in [("whats", "app"), ("e", "mail")] {
            let at = words.windows(2).position(|two| two == [first, second]);
            if let Some(at) = at {
                words.splice(at..at + 2, [format!("{first}{second}")]);
            }
        }
        Self(words)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether one of the words means one of these: a long one also where more is written on to it
    /// (`telefonnummer`).
    pub(super) fn say(&self, meanings: &[&str]) -> bool {
        self.iter().any(|word| meanings.iter().any(|meaning| means(word, meaning)))
    }

    /// Whether the words stand next to each other in this order: `opt in`.
    pub(super) fn phrase(&self, phrases: &[&str]) -> bool {
        let all = self.0.join(" ");
        let all = format!(" {all} ");
        phrases.iter().any(|phrase| all.contains(&format!(" {phrase} ")))
    }

    /// Whether the words are exactly these, whatever is in `fillers` aside.
    pub(super) fn are(&self, phrases: &[&str], fillers: &[&str]) -> bool {
        let left: Vec<_> = self.iter().filter(|word| !fillers.contains(word)).collect();
        let left = left.join(" ");
        phrases.contains(&left.as_str())
    }

    /// A name for an attribute.
    pub(super) fn snake(&self) -> String {
        let ascii = self.iter().filter(|word| word.bytes().all(|b| b.is_ascii_alphanumeric()));
        ascii.collect::<Vec<_>>().join("_")
    }
}

fn is_of_a_word(c: char) -> bool {
    // The signs of Indic scripts are no letters, and yet no word ends at them.
    c.is_alphanumeric() || matches!(c, '\u{900}'..='\u{d7f}' | '\u{e00}'..='\u{e7f}')
}

fn means(word: &str, meaning: &str) -> bool {
    word == meaning || (meaning.chars().count() >= 5 && word.starts_with(meaning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::suggest::meanings::{FILLERS, FULL_NAME, MOBILE, PHONE};

    #[test]
    fn a_key_has_words_whatever_it_is_written_like() {
        for (key, words) in [
            ("contactPhone_1", vec!["contact", "phone", "1"]),
            ("your-tel", vec!["your", "tel"]),
            ("Teléfono móvil", vec!["telefono", "movil"]),
            ("HTTPHeader", vec!["httpheader"]),
            ("WhatsApp ok?", vec!["whatsapp", "ok"]),
            ("Your E-Mail", vec!["your", "email"]),
            ("मोबाइल नंबर", vec!["मोबाइल", "नंबर"]),
            ("", vec![]),
            ("--", vec![]),
        ] {
            assert_eq!(Words::of(key).iter().collect::<Vec<_>>(), words, "{key}");
        }
    }

    #[test]
    fn phones_are_known_in_many_languages() {
        for key in [
            "phone",
            "Phone Number",
            "phoneNumber",
            "your-tel",
            "telefonnummer",
            "Teléfono",
            "telefone",
            "电话",
        ] {
            assert!(Words::of(key).say(PHONE), "{key}");
        }
        for key in ["mobile_no", "Handynummer", "celular", "मोबाइल", "móvil", "Mobiltelefon"]
        {
            assert!(Words::of(key).say(MOBILE), "{key}");
        }
        for key in ["telemetry", "headphones", "hotel"] {
            assert!(!Words::of(key).say(PHONE), "{key}");
        }
    }

    #[test]
    fn a_name_is_one_only_where_nothing_else_is_said() {
        for (key, is_name) in [
            ("name", true),
            ("Your Name", true),
            ("What's your name?", true),
            ("Nombre completo", true),
            ("formName", false),
            ("company_name", false),
            ("first_name", false),
        ] {
            assert_eq!(Words::of(key).are(FULL_NAME, FILLERS), is_name, "{key}");
        }
    }
}
