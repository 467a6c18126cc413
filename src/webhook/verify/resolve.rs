//! From `verify:` as a file says it to a verifier: the secrets are fetched, and become keys.

use std::sync::{Arc, OnceLock};

use super::Verifier;
use super::check::{Check, Credential, Keyed};
use super::key::{Key, Use};
use super::scheme::Scheme;
use super::secret::{MissingSecret, Secret, SecretRef, SecretSource, Unusable};
use super::spec::{Rule, VerifySpec};

impl VerifySpec {
    /// Fetches the secrets.
    pub fn resolve(&self, secrets: &dyn SecretSource) -> Result<Verifier, MissingSecret> {
        self.resolve_for(Use::Verify, secrets)
    }

    /// The same for signing as the sender does: asymmetric schemes want its private key.
    pub fn resolve_to_sign(&self, secrets: &dyn SecretSource) -> Result<Verifier, MissingSecret> {
        self.resolve_for(Use::Sign, secrets)
    }

    fn resolve_for(&self, used: Use, source: &dyn SecretSource) -> Result<Verifier, MissingSecret> {
        let mut greetings = Vec::new();
        for greeting in &self.greetings {
            greetings.push((greeting.handshake, fetched(&greeting.tokens, source)?));
        }
        Ok(Verifier::new(check_of(&self.rule, used, source)?, greetings))
    }
}

fn fetched(refs: &[SecretRef], source: &dyn SecretSource) -> Result<Vec<Secret>, MissingSecret> {
    refs.iter().map(|secret| secret.resolve(source)).collect()
}

fn check_of(rule: &Rule, used: Use, source: &dyn SecretSource) -> Result<Check, MissingSecret> {
    let each = |rules: &[Rule]| -> Result<Vec<Check>, MissingSecret> {
        rules.iter().map(|rule| check_of(rule, used, source)).collect()
    };
    Ok(match rule {
        Rule::Open => Check::Open,
        Rule::Token(place, refs) => {
            Check::Credential(Credential::Token(place.clone()), fetched(refs, source)?)
        }
        Rule::Basic(name, refs) => {
            Check::Credential(Credential::Basic(name.clone()), fetched(refs, source)?)
        }
        Rule::Bearer(refs) => Check::Credential(Credential::Bearer, fetched(refs, source)?),
        Rule::Address(networks) => Check::Address(networks.clone()),
        Rule::Signature(schemes, refs) => Check::Signature(keyed(schemes, refs, used, source)?),
        Rule::All(rules) => Check::All(each(rules)?),
        Rule::Any(rules) => Check::Any(each(rules)?),
    })
}

/// Each scheme with the secrets that belong to it; schemes without one are left out.
fn keyed(
    schemes: &[Scheme],
    refs: &[SecretRef],
    used: Use,
    source: &dyn SecretSource,
) -> Result<Vec<Keyed>, MissingSecret> {
    if refs == [SecretRef::Adopted] {
        let adopted = |scheme: &Scheme| Keyed {
            scheme: scheme.clone(),
            keys: Vec::new(),
            adopted: Some(Arc::new(OnceLock::new())),
        };
        return Ok(schemes.iter().map(adopted).collect());
    }
    let mut keyed: Vec<Keyed> = schemes
        .iter()
        .map(|scheme| Keyed { scheme: scheme.clone(), keys: Vec::new(), adopted: None })
        .collect();
    let begins = |secret: &Secret, scheme: &Scheme| {
        scheme.prefix.as_deref().is_some_and(|prefix| secret.as_str().starts_with(prefix))
    };
    for reference in refs {
        let secret = reference.resolve(source)?;
        let marked = schemes.iter().any(|scheme| begins(&secret, scheme));
        // A public key is one of its scheme's algorithm alone: it has to fit one of them.
        let (mut fits, mut flaw) = (false, Unusable::Empty);
        for version in &mut keyed {
            let belongs = if marked {
                begins(&secret, &version.scheme)
            } else {
                version.scheme.prefix.is_none()
            };
            if !belongs {
                continue;
            }
            match Key::new(&version.scheme, reference.to_string(), secret.clone(), used) {
                Ok(key) => {
                    version.keys.push(key);
                    fits = true;
                }
                Err(why) => flaw = why,
            }
        }
        if !fits {
            return Err(reference.missing(flaw));
        }
    }
    keyed.retain(|version| !version.keys.is_empty());
    Ok(keyed)
}
