//! A secret, and the key that a scheme makes of it.

use super::public_key::{PrivateKey, PublicKey};
use super::scheme::{Encoding, KeyForm, Method, Scheme};
use super::secret::{Secret, Unusable};

/// A key of a scheme, and where its secret came from.
#[derive(Debug)]
pub(super) struct Key {
    /// Where the secret is, as the mapping file says it.
    pub(super) place: String,
    pub(super) secret: Secret,
    pub(super) material: Material,
}

#[derive(Debug)]
pub(super) enum Material {
    /// Bytes that both sides have.
    Shared(Vec<u8>),
    Public(PublicKey),
    /// The sender's own, for signing samples.
    Private(Box<PrivateKey>),
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Verify,
    /// An asymmetric scheme wants the private key then.
    Sign,
}

impl Key {
    /// Makes the key of a secret.
    pub(super) fn new(
        scheme: &Scheme,
        place: String,
        secret: Secret,
        used: Use,
    ) -> Result<Self, Unusable> {
        let text = secret.as_str();
        let before = scheme.prefix.as_deref().or(scheme.strip.as_deref());
        let text = before.and_then(|before| text.strip_prefix(before)).unwrap_or(text);
        let material = match (scheme.method, used) {
            (Method::PublicKey(algorithm), Use::Verify) => {
                Material::Public(PublicKey::read(algorithm, text)?)
            }
            (Method::PublicKey(algorithm), Use::Sign) => {
                Material::Private(Box::new(PrivateKey::read(algorithm, text)?))
            }
            (Method::Hmac(_) | Method::Digest(_), _) => Material::Shared(scheme.key.read(text)?),
        };
        Ok(Self { place, secret, material })
    }

    /// How many bytes a guess would have to hit; nothing for a key that is no secret.
    pub(super) fn len(&self) -> Option<usize> {
        match &self.material {
            Material::Shared(bytes) => Some(bytes.len()),
            Material::Public(_) | Material::Private(_) => None,
        }
    }
}

impl KeyForm {
    /// The bytes that a secret's text stands for; none at all is no key.
    pub(super) fn read(self, text: &str) -> Result<Vec<u8>, Unusable> {
        let bytes = match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Hex => hex::decode(text).map_err(|_| Unusable::NotHex)?,
            Self::Base64 => Encoding::Base64.decode(text).ok_or(Unusable::NotBase64)?,
            Self::Html => without_entities(text).into_bytes(),
        };
        if bytes.is_empty() { Err(Unusable::Empty) } else { Ok(bytes) }
    }
}

/// The text with the entities that `WordPress`'s `wp_specialchars_decode` knows decoded.
fn without_entities(text: &str) -> String {
    const ENTITIES: &[(&str, &str)] = &[
        ("&lt;", "<"),
        ("&#60;", "<"),
        ("&gt;", ">"),
        ("&#62;", ">"),
        ("&quot;", "\""),
        ("&#034;", "\""),
        ("&#039;", "'"),
        // Last, so that nothing is decoded twice.
        ("&#038;", "&"),
        ("&amp;", "&"),
    ];
    ENTITIES.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_becomes_the_bytes_that_its_form_means() {
        for (form, text, bytes) in [
            (KeyForm::Utf8, "4a4b", Ok(b"4a4b".to_vec())),
            (KeyForm::Hex, "4a4B", Ok(b"JK".to_vec())),
            (KeyForm::Hex, "4a4", Err(Unusable::NotHex)),
            (KeyForm::Base64, "Skts", Ok(b"JKl".to_vec())),
            (KeyForm::Base64, "?", Err(Unusable::NotBase64)),
            (KeyForm::Html, "a&amp;lt;b&#039;c&", Ok(b"a&lt;b'c&".to_vec())),
            (KeyForm::Utf8, "", Err(Unusable::Empty)),
        ] {
            assert_eq!(form.read(text), bytes, "{text:?}");
        }
    }
}
