//! Signatures whose sender has a key that nobody else has: Ed25519, RSA and ECDSA, checked with the public one.
//!
//! The key is always the settings' own, never one from an address in the request.

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
    VerificationAlgorithm,
};

use super::der;
use super::scheme::Asymmetric;
use super::secret::Unusable;

/// Object ids as DER writes them: RFC 8410, RFC 3279 (section 2.3.1) and RFC 5480 (section 2.1.1).
const ED25519_ID: &[u8] = &[0x2B, 0x65, 0x70];
const RSA_ID: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const EC_ID: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];

/// A bare Ed25519 key, public or private, has so many bytes; an uncompressed point of P-256 so many.
const ED25519_BYTES: usize = 32;
const P256_BYTES: usize = 65;

impl Asymmetric {
    const fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Ed25519 => &ED25519,
            Self::RsaSha256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::EcdsaP256Sha256 => &ECDSA_P256_SHA256_ASN1,
        }
    }

    const fn id(self) -> &'static [u8] {
        match self {
            Self::Ed25519 => ED25519_ID,
            Self::RsaSha256 => RSA_ID,
            Self::EcdsaP256Sha256 => EC_ID,
        }
    }

    fn is_bare(self, bytes: &[u8]) -> bool {
        match self {
            Self::Ed25519 => bytes.len() == ED25519_BYTES,
            Self::RsaSha256 => false,
            Self::EcdsaP256Sha256 => bytes.len() == P256_BYTES && bytes.first() == Some(&4),
        }
    }
}

/// A sender's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    algorithm: Asymmetric,
    bits: Vec<u8>,
}

impl PublicKey {
    /// Reads one: bare or as `SubjectPublicKeyInfo`, in hexadecimal digits, base64 or PEM; or a PEM certificate.
    pub(super) fn read(algorithm: Asymmetric, text: &str) -> Result<Self, Unusable> {
        let bytes = der::bytes_of(text).ok_or(Unusable::NoPublicKey)?;
        if algorithm.is_bare(&bytes) {
            return Ok(Self { algorithm, bits: bytes });
        }
        let found = der::public_key(&bytes).ok_or(Unusable::NoPublicKey)?;
        let fits = found.kind == algorithm.id()
            && (algorithm == Asymmetric::RsaSha256 || algorithm.is_bare(found.bits));
        if !fits {
            return Err(Unusable::OtherKey);
        }
        Ok(Self { algorithm, bits: found.bits.to_vec() })
    }

    /// Whether the signature is over this message by the owner of the key.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(self.algorithm.verification(), &self.bits);
        key.verify(message, signature).is_ok()
    }
}

/// A sender's private key: for signing samples, never for receiving.
#[derive(Debug)]
pub(super) enum PrivateKey {
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
    Ecdsa(EcdsaKeyPair),
}

impl PrivateKey {
    /// Reads one: PKCS #8 in PEM, base64 or hexadecimal digits, or a bare Ed25519 seed.
    pub(super) fn read(algorithm: Asymmetric, text: &str) -> Result<Self, Unusable> {
        let bytes = der::bytes_of(text).ok_or(Unusable::NoPrivateKey)?;
        let pair = match algorithm {
            Asymmetric::Ed25519 if bytes.len() == ED25519_BYTES => {
                Ed25519KeyPair::from_seed_unchecked(&bytes).map(Self::Ed25519)
            }
            Asymmetric::Ed25519 => {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes).map(Self::Ed25519)
            }
            Asymmetric::RsaSha256 => {
                RsaKeyPair::from_pkcs8(&bytes).map(|pair| Self::Rsa(Box::new(pair)))
            }
            Asymmetric::EcdsaP256Sha256 => {
                let random = SystemRandom::new();
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &bytes, &random)
                    .map(Self::Ecdsa)
            }
        };
        pair.map_err(|_| Unusable::NoPrivateKey)
    }

    /// The public key that belongs to it.
    pub(super) fn public(&self) -> PublicKey {
        let (algorithm, bits) = match self {
            Self::Ed25519(pair) => (Asymmetric::Ed25519, pair.public_key().as_ref()),
            Self::Rsa(pair) => (Asymmetric::RsaSha256, pair.public_key().as_ref()),
            Self::Ecdsa(pair) => (Asymmetric::EcdsaP256Sha256, pair.public_key().as_ref()),
        };
        PublicKey { algorithm, bits: bits.to_vec() }
    }

    /// Signs a message; nothing where the machine gives no random numbers.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .ok()
                    .map(|()| signature)
            }
            Self::Ecdsa(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).ok()?;
                Some(signature.as_ref().to_vec())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[(Asymmetric, &str, &[&str])] = &[
        (
            Asymmetric::Ed25519,
            include_str!("../../../tests/fixtures/keys/ed25519-private.pem"),
            &[include_str!("../../../tests/fixtures/keys/ed25519-public.pem")],
        ),
        (
            Asymmetric::RsaSha256,
            include_str!("../../../tests/fixtures/keys/rsa-private.pem"),
            &[
                include_str!("../../../tests/fixtures/keys/rsa-public.pem"),
                include_str!("../../../tests/fixtures/keys/rsa-certificate.pem"),
            ],
        ),
        (
            Asymmetric::EcdsaP256Sha256,
            include_str!("../../../tests/fixtures/keys/p256-private.pem"),
            &[include_str!("../../../tests/fixtures/keys/p256-public.pem")],
        ),
    ];

    #[test]
    fn what_the_private_key_signs_the_public_one_verifies() {
        for (algorithm, private, publics) in KEYS {
            let private = PrivateKey::read(*algorithm, private).unwrap();
            let signature = private.sign(b"a message").unwrap();
            for public in *publics {
                let public = PublicKey::read(*algorithm, public).unwrap();
                assert_eq!(public, private.public());
                assert!(public.verifies(b"a message", &signature), "{algorithm:?}");
                assert!(!public.verifies(b"a massage", &signature), "{algorithm:?}");
                let mut other = signature.clone();
                other[10] ^= 1;
                assert!(!public.verifies(b"a message", &other), "{algorithm:?}");
            }
        }
    }

    #[test]
    fn a_key_of_another_kind_is_told_from_what_is_no_key() {
        for (algorithm, _, publics) in KEYS {
            for (other, _, _) in KEYS.iter().filter(|(other, ..)| other != algorithm) {
                assert_eq!(PublicKey::read(*other, publics[0]), Err(Unusable::OtherKey));
            }
            assert_eq!(PublicKey::read(*algorithm, "a secret"), Err(Unusable::NoPublicKey));
            assert!(matches!(PrivateKey::read(*algorithm, "00"), Err(Unusable::NoPrivateKey)));
        }
    }
}
