//! The words of a key, and what they mean in the languages that senders' forms speak.

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

/// Numbers at which people read their messages.
pub(super) const WHATSAPP: &[&str] = &["whatsapp", "wa", "wapp"];
/// Numbers in the pocket.
pub(super) const MOBILE: &[&str] = &[
    "mobile",
    "mobil",
    "movil",
    "cell",
    "cellphone",
    "celular",
    "cellulare",
    "handy",
    "gsm",
    "portable",
    "komorka",
    "komorkowy",
    "ponsel",
    "hp",
    "nohp",
    "cep",
    "telemovel",
    "mobiel",
    "matkapuhelin",
    "мобильный",
    "моб",
    "手机",
    "手機",
    "携帯",
    "휴대폰",
    "جوال",
    "موبايل",
    "मोबाइल",
    "kannettava",
];
/// Numbers.
pub(super) const PHONE: &[&str] = &[
    "phone",
    "telephone",
    "telefon",
    "telefone",
    "telefono",
    "telefoon",
    "tel",
    "telnr",
    "telno",
    "tlf",
    "telf",
    "telp",
    "fono",
    "fone",
    "puhelin",
    "msisdn",
    "simi",
    "телефон",
    "电话",
    "電話",
    "전화",
    "هاتف",
    "फोन",
    "τηλεφωνο",
    "טלפון",
    "sdt",
    "โทรศัพท์",
];
/// Words that go with a number now and then.
pub(super) const NUMBER: &[&str] =
    &["number", "numero", "nummer", "numer", "contact", "contacto", "contato"];
/// Numbers at which nobody reads.
pub(super) const FAX: &[&str] = &["fax", "telefax", "faks"];

/// An address for letters that machines carry.
pub(super) const EMAIL: &[&str] = &[
    "email",
    "mail",
    "correo",
    "mel",
    "epost",
    "eposta",
    "sahkoposti",
    "почта",
    "邮箱",
    "メール",
    "이메일",
    "بريد",
];

/// What may stand around the word for a name and says nothing else.
pub(super) const FILLERS: &[&str] = &[
    "your",
    "the",
    "my",
    "contact",
    "customer",
    "client",
    "lead",
    "person",
    "user",
    "billing",
    "attendee",
    "invitee",
    "respondent",
    "subscriber",
    "member",
    "guest",
    "buyer",
    "patient",
    "student",
    "ihr",
    "votre",
    "tu",
    "su",
    "seu",
    "what",
    "s",
    "is",
    "please",
    "enter",
    "1",
    "field",
    "text",
    "input",
];
/// A person's whole name.
pub(super) const FULL_NAME: &[&str] = &[
    "name",
    "full name",
    "fullname",
    "complete name",
    "display name",
    "displayname",
    "nombre",
    "nome",
    "naam",
    "nombre completo",
    "nome completo",
    "nombre y apellido",
    "nombre y apellidos",
    "nom complet",
    "nom et prenom",
    "nom prenom",
    "vollstandiger name",
    "volledige naam",
    "vor und nachname",
    "imie i nazwisko",
    "ad soyad",
    "namn",
    "navn",
    "nimi",
    "nev",
    "имя",
    "фио",
    "姓名",
    "名前",
    "お名前",
    "氏名",
    "이름",
    "الاسم",
    "नाम",
    "first and last name",
    "first name and last name",
    "nama",
    "nama lengkap",
];
/// A person's given name.
pub(super) const FIRST_NAME: &[&str] = &[
    "first name",
    "firstname",
    "fname",
    "first",
    "given name",
    "givenname",
    "forename",
    "vorname",
    "prenom",
    "voornaam",
    "imie",
    "ad",
    "etunimi",
    "fornavn",
    "fornamn",
    "primer nombre",
    "primeiro nome",
    "nombres",
    "名",
];
/// A person's family name.
pub(super) const LAST_NAME: &[&str] = &[
    "last name",
    "lastname",
    "lname",
    "last",
    "surname",
    "family name",
    "familyname",
    "nachname",
    "familienname",
    "nom de famille",
    "nom",
    "apellido",
    "apellidos",
    "sobrenome",
    "cognome",
    "achternaam",
    "nazwisko",
    "soyad",
    "sukunimi",
    "etternavn",
    "efternamn",
    "фамилия",
    "姓",
];
/// Words for a name that are a given name where a family name stands beside them.
pub(super) const EITHER_NAME: &[&str] = &["nombre", "nome", "name", "naam", "имя", "namn", "navn"];

/// What somebody agrees to.
pub(super) const CONSENT: &[&str] = &[
    "consent",
    "consents",
    "optin",
    "agree",
    "agreed",
    "agrees",
    "agreement",
    "acceptance",
    "accept",
    "accepts",
    "accepted",
    "gdpr",
    "rgpd",
    "dsgvo",
    "lgpd",
    "permission",
    "einwilligung",
    "zustimmung",
    "einverstanden",
    "consentimiento",
    "consentimento",
    "consentement",
    "consenso",
    "acepto",
    "aceito",
    "accetto",
    "autorizo",
    "autorizacion",
    "toestemming",
    "akkoord",
    "zgoda",
    "samtykke",
    "samtycke",
    "suostumus",
    "souhlas",
    "onay",
    "izin",
    "согласие",
    "согласен",
    "同意",
    "동의",
    "subscribed",
];
/// The same in several words.
pub(super) const CONSENT_PHRASES: &[&str] = &[
    "opt in",
    "opted in",
    "message you",
    "contact you",
    "write to you",
    "whatsapp you",
    "text you",
    "may we message",
    "keep me",
    "i agree",
];
/// What is advertising.
pub(super) const MARKETING: &[&str] =
    &["marketing", "promotions", "promotional", "newsletter", "promo", "werbung"];
/// What somebody does not want, where it is true.
pub(super) const REFUSAL: &[&str] = &[
    "unsubscribed",
    "unsubscribe",
    "optout",
    "dnd",
    "blocked",
    "blacklisted",
    "suppressed",
    "bounced",
    "cancelled",
    "canceled",
];
/// The same in several words.
pub(super) const REFUSAL_PHRASES: &[&str] =
    &["opt out", "opted out", "do not", "dont", "no marketing", "not contact", "not accept"];
/// Ways to reach somebody that are not `WhatsApp`.
pub(super) const OTHER_CHANNELS: &[&str] =
    &["email", "mail", "sms", "call", "calls", "post", "push", "phone"];
/// What somebody has read, which is no wish to be written to.
pub(super) const TERMS: &[&str] = &[
    "terms",
    "tos",
    "privacy",
    "policy",
    "datenschutz",
    "agb",
    "conditions",
    "cookies",
    "privacidad",
    "privacidade",
];

/// A person who is not the one to be written to.
pub(super) const SOMEBODY_ELSE: &[&str] = &[
    "organizer",
    "organiser",
    "host",
    "owner",
    "seller",
    "merchant",
    "shop",
    "store",
    "payee",
    "agent",
    "assigned",
    "assignee",
    "staff",
    "admin",
    "previous",
    "old",
    "sender",
    "company",
    "membership",
    "memberships",
    "creator",
    "support",
    "vendor",
    "supplier",
    "location",
    "branch",
    "team",
    "sales",
    "rep",
    "recipient",
];
/// The person who is.
pub(super) const THE_PERSON: &[&str] = &[
    "contact",
    "customer",
    "lead",
    "person",
    "billing",
    "attendee",
    "invitee",
    "registrant",
    "respondent",
    "subscriber",
    "buyer",
    "payer",
    "client",
    "guest",
    "patient",
    "student",
    "member",
    "answer",
    "answers",
];

#[cfg(test)]
mod tests {
    use super::*;

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
