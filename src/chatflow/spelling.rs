//! The other spelling that a number can have in a messaging service.
//!
//! Some networks know mobiles of Mexico, Argentina and Brazil by numbers that differ from those people dial: Mexico's
//! `1` after 52 and Argentina's `9` after 54 come and go, and so does the ninth digit of Brazil's mobiles.

use crate::contact::Mobile;

/// The one other spelling of the number; nothing for the numbers of most countries.
pub(super) fn other(mobile: &Mobile) -> Option<String> {
    let digits = mobile.as_str();
    let (country, rest) = digits.split_at_checked(2)?;
    match (country, rest.len()) {
        ("52", 10) => Some(format!("521{rest}")),
        ("52", 11) => Some(format!("52{}", rest.strip_prefix('1')?)),
        ("54", 10) => Some(format!("549{rest}")),
        ("54", 11) => Some(format!("54{}", rest.strip_prefix('9')?)),
        ("55", 10) => {
            let (area, number) = rest.split_at_checked(2)?;
            is_mobile_of_brazil(number).then(|| format!("55{area}9{number}"))
        }
        ("55", 11) => {
            let (area, number) = rest.split_at_checked(2)?;
            let number = number.strip_prefix('9')?;
            is_mobile_of_brazil(number).then(|| format!("55{area}{number}"))
        }
        _ => None,
    }
}

/// Whether eight digits are an old mobile: those from 2 to 5 are somebody's landline.
fn is_mobile_of_brazil(eight: &str) -> bool {
    eight.starts_with(['6', '7', '8', '9'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mobiles_of_mexico_argentina_and_brazil_have_another_spelling() {
        for (number, spelled) in [
            ("525512345678", Some("5215512345678")),
            ("5215512345678", Some("525512345678")),
            ("5225512345678", None),
            ("541112345678", Some("5491112345678")),
            ("5491112345678", Some("541112345678")),
            ("5481112345678", None),
            ("551187654321", Some("5511987654321")),
            ("5511987654321", Some("551187654321")),
            ("551132654321", None),
            ("5511932654321", None),
            ("5511887654321", None),
            ("12025550143", None),
            ("919812345678", None),
            ("5255123", None),
        ] {
            let mobile = Mobile::try_from(number.to_owned()).unwrap();
            assert_eq!(other(&mobile).as_deref(), spelled, "{number}");
            if let Some(spelled) = spelled {
                let back = Mobile::try_from(spelled.to_owned()).unwrap();
                assert_eq!(other(&back).as_deref(), Some(number), "{number}");
            }
        }
    }
}
