//! Public keys in the forms that senders publish: bare, in hexadecimal digits or base64, PEM, a certificate.
//!
//! As much of DER (ITU-T X.690) as it takes to find the key in a `SubjectPublicKeyInfo` (RFC 5280, section 4.1),
//! alone or inside a certificate. A certificate is a wrapping here: it is pinned by whoever writes it into the
//! settings, so nobody's signature on it is asked for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const EXPLICIT_VERSION: u8 = 0xA0;

/// One value: its tag, what is in it, and what comes behind it.
fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            let length = digits.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    let (inside, behind) = rest.split_at_checked(length)?;
    Some((tag, inside, behind))
}

fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, inside, behind) = value(bytes)?;
    (found == tag).then_some((inside, behind))
}

/// The kind and the bits of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'k> {
    /// The object id of the algorithm, as DER writes it.
    pub(super) kind: &'k [u8],
    pub(super) bits: &'k [u8],
}

/// The key of a `SubjectPublicKeyInfo` or of a certificate; nothing where the bytes are neither.
pub(super) fn public_key(der: &[u8]) -> Option<Found<'_>> {
    let (inside, _) = expect(der, SEQUENCE)?;
    key_info(inside).or_else(|| {
        let (certificate, _) = expect(inside, SEQUENCE)?;
        let mut rest = match value(certificate)? {
            (EXPLICIT_VERSION, _, behind) => behind,
            _ => certificate,
        };
        // Serial number, algorithm, issuer, validity, subject.
        for _ in 0..5 {
            (_, _, rest) = value(rest)?;
        }
        let (info, _) = expect(rest, SEQUENCE)?;
        key_info(info)
    })
}

/// Until when a certificate holds.
pub(super) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (inside, _) = expect(certificate, SEQUENCE)?;
    let (certificate, _) = expect(inside, SEQUENCE)?;
    let mut rest = match value(certificate)? {
        (EXPLICIT_VERSION, _, behind) => behind,
        _ => certificate,
    };
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        (_, _, rest) = value(rest)?;
    }
    let (validity, _) = expect(rest, SEQUENCE)?;
    let (_, _, rest) = value(validity)?;
    let (tag, time, _) = value(rest)?;
    time_of(tag, std::str::from_utf8(time).ok()?)
}

/// RFC 5280, section 4.1.2.5: `YYMMDDHHMMSSZ` until 2049, `YYYYMMDDHHMMSSZ` from then on.
fn time_of(tag: u8, text: &str) -> Option<Timestamp> {
    let full = match tag {
        UTC_TIME => {
            let year: u8 = text.get(..2)?.parse().ok()?;
            format!("{}{text}", if year < 50 { "20" } else { "19" })
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%SZ", full).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

fn key_info(inside: &[u8]) -> Option<Found<'_>> {
    let (algorithm, behind) = expect(inside, SEQUENCE)?;
    let (kind, _) = expect(algorithm, OBJECT_ID)?;
    let (bits, _) = expect(behind, BIT_STRING)?;
    let (&unused, bits) = bits.split_first()?;
    (unused == 0).then_some(Found { kind, bits })
}

/// The bytes that a text stands for: PEM, hexadecimal digits or base64.
pub(super) fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if let Some((_, behind)) = text.split_once("-----BEGIN ") {
        let (_, behind) = behind.split_once("-----")?;
        let (body, _) = behind.split_once("-----END ")?;
        let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        return STANDARD.decode(body).ok();
    }
    let bare: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    hex::decode(&bare).ok().or_else(|| STANDARD.decode(&bare).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_found_bare_and_in_its_wrappings() {
        let info = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{info}\n-----END PUBLIC KEY-----\n");
        for text in [info, &pem, &hex::encode(STANDARD.decode(info).unwrap())] {
            let bytes = bytes_of(text).unwrap();
            let found = public_key(&bytes).unwrap();
            assert_eq!(found.kind, [0x2B, 0x65, 0x70]);
            assert_eq!(hex::encode(found.bits).get(..8), Some("d75a9801"));
        }
    }

    #[test]
    fn a_certificate_holds_its_key() {
        let pem = include_str!("../../../tests/fixtures/keys/rsa-certificate.pem");
        let key = include_str!("../../../tests/fixtures/keys/rsa-public.pem");
        let (certificate, key) = (bytes_of(pem).unwrap(), bytes_of(key).unwrap());
        assert!(public_key(&certificate).is_some());
        assert_eq!(public_key(&certificate), public_key(&key));
    }

    #[test]
    fn a_certificate_says_until_when_it_holds() {
        let pem = include_str!("../../../tests/fixtures/keys/rsa-certificate.pem");
        let until = not_after(&bytes_of(pem).unwrap()).unwrap();
        assert_eq!(until.to_string(), "2126-10-31T22:50:15Z");
        for (tag, text, time) in [
            (UTC_TIME, "491231235959Z", Some("2049-12-31T23:59:59Z")),
            (UTC_TIME, "500101000000Z", Some("1950-01-01T00:00:00Z")),
            (GENERALIZED_TIME, "20500101000000Z", Some("2050-01-01T00:00:00Z")),
            (GENERALIZED_TIME, "soon", None),
            (SEQUENCE, "491231235959Z", None),
        ] {
            let time = time.map(|time| time.parse().unwrap());
            assert_eq!(time_of(tag, text), time, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text: String) {
            let _found = public_key(&bytes);
            let _time = not_after(&bytes);
            let _bytes = bytes_of(&text);
        }
    }
}
