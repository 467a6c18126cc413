//! Numbers compared digit by digit, as they are written: nothing is rounded.

use std::cmp::Ordering;

/// A number taken apart: its sign, its digits without zeros at either end, and the place of the
/// decimal point (`0.d1d2d3… × 10^point`).
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    point: i64,
}

/// Whether a text is a number in JSON's grammar.
pub fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

/// Orders two texts that are numbers in JSON's grammar; nothing where one is not.
pub fn compare_numbers(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (Decimal::read(left)?, Decimal::read(right)?);
    Some(match (left.negative, right.negative) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => left.size().cmp(&right.size()),
        (true, true) => right.size().cmp(&left.size()),
    })
}

impl Decimal {
    fn read(text: &str) -> Option<Self> {
        if !is_number(text) {
            return None;
        }
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        // An exponent beyond an i64 is as good as endless: nobody writes one but to do harm.
        let exponent = exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') {
            -(1 << 60)
        } else {
            1 << 60
        });
        let written: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let leading = written.iter().take_while(|&&b| b == b'0').count();
        let trailing = written.iter().skip(leading).rev().take_while(|&&b| b == b'0').count();
        let kept = written.len() - leading - trailing;
        let digits: Vec<u8> = written.into_iter().skip(leading).take(kept).collect();
        if digits.is_empty() {
            return Some(Self { negative: false, digits, point: i64::MIN });
        }
        let places = i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()?;
        Some(Self {
            negative: text.starts_with('-'),
            digits,
            point: places.saturating_add(exponent),
        })
    }

    fn size(&self) -> (i64, &[u8]) {
        (self.point, &self.digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_their_digits() {
        use Ordering::{Equal, Greater, Less};
        for (left, right, expected) in [
            ("1", "1.0", Some(Equal)),
            ("1e2", "100", Some(Equal)),
            ("0", "-0.0", Some(Equal)),
            ("0.5", "5e-1", Some(Equal)),
            ("9007199254740993", "9007199254740992", Some(Greater)),
            ("123456789012345678901234", "123456789012345678901235", Some(Less)),
            ("-2", "-10", Some(Greater)),
            ("-1", "1", Some(Less)),
            ("0.05", "0.5", Some(Less)),
            ("10", "9", Some(Greater)),
            ("1e400", "1e401", Some(Less)),
            ("1e99999999999999999999", "2", Some(Greater)),
            ("1e-99999999999999999999", "0", Some(Greater)),
            ("01", "1", None),
            ("1.", "1", None),
            ("+1", "1", None),
            ("", "1", None),
        ] {
            assert_eq!(compare_numbers(left, right), expected, "{left} and {right}");
        }
    }
}
