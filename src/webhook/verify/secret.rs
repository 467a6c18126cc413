//! Secrets: where a mapping file says they are, and what comes from there.

use std::fmt;
use std::path::{Path, PathBuf};

/// Gives what a file may not hold; the program implements it, since only it reads the environment.
pub trait SecretSource {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// The text of a file.
    fn file(&self, path: &Path) -> std::io::Result<String>;
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// `env:NAME`
    Variable(String),
    /// `file:/path`; one line end at the end of the file does not belong to the secret.
    File(PathBuf),
    /// The secret itself, written in the file.
    Written(Secret),
    /// `adopt`: the sender gives it in its first request.
    Adopted,
}

/// A secret; it shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A secret from its text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    pub(in crate::webhook) fn as_str(&self) -> &str {
        &self.0
    }

    pub(in crate::webhook) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Written(_) => f.write_str("written in the file"),
            Self::Adopted => f.write_str("adopt"),
        }
    }
}

/// A secret that cannot be used, so that its source is closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret `{place}` {why}")]
pub struct MissingSecret {
    /// Where it should be, as the mapping file says.
    pub place: String,
    /// What is wrong with it.
    pub why: Unusable,
}

/// What is wrong with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The environment variable does not exist.
    #[error("is not set: give the environment variable a value")]
    Unset,
    /// It is there, with nothing in it.
    #[error("is empty")]
    Empty,
    /// The file cannot be read.
    #[error("cannot be read ({0})")]
    Unreadable(std::io::ErrorKind),
    /// The scheme's key is given as hexadecimal text.
    #[error("is no hexadecimal text, as its scheme wants")]
    NotHex,
    /// The scheme's key is given as base64 text.
    #[error("is no base64 text, as its scheme wants")]
    NotBase64,
    /// A public key is wanted, and this is none.
    #[error("is no public key: hexadecimal digits, base64, PEM or a PEM certificate is expected")]
    NoPublicKey,
    /// The key is one of another algorithm.
    #[error("is a key of another kind than its scheme uses")]
    OtherKey,
    /// For signing, the private key is wanted.
    #[error("is no private key: PKCS #8 in PEM, base64 or hexadecimal digits is expected")]
    NoPrivateKey,
}

impl SecretRef {
    pub(super) fn missing(&self, why: Unusable) -> MissingSecret {
        MissingSecret { place: self.to_string(), why }
    }

    /// Fetches the secret; an empty one is none.
    pub(super) fn resolve(&self, source: &dyn SecretSource) -> Result<Secret, MissingSecret> {
        let text = match self {
            Self::Written(secret) => return Ok(secret.clone()),
            // It is asked of the store, when the first request comes.
            Self::Adopted => return Err(self.missing(Unusable::Unset)),
            Self::Variable(name) => {
                source.variable(name).ok_or_else(|| self.missing(Unusable::Unset))?
            }
            Self::File(path) => {
                let text = source
                    .file(path)
                    .map_err(|error| self.missing(Unusable::Unreadable(error.kind())))?;
                let line = text.strip_suffix('\n').unwrap_or(&text);
                line.strip_suffix('\r').unwrap_or(line).to_owned()
            }
        };
        if text.trim().is_empty() {
            return Err(self.missing(Unusable::Empty));
        }
        Ok(Secret::new(text))
    }
}
