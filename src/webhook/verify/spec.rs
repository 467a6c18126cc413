//! `verify:` of a mapping file, read strictly; its secrets come later.

use super::check::{Check, Credential, Keyed, TokenPlace};
use super::read::{self, unknown_word};
use super::scheme::Scheme;
use super::secret::{MissingSecret, Secret, SecretRef, SecretSource};
use super::{Verifier, hmac, presets};
use crate::mapping::syntax::{Code, Fields, Kind, Node, Problem, Problems};

/// How the requests of a source are verified, as its file says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifySpec {
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Open,
    Token(TokenPlace, Vec<SecretRef>),
    Basic(String, Vec<SecretRef>),
    Bearer(Vec<SecretRef>),
    Signature(Vec<Scheme>, Vec<SecretRef>),
    All(Vec<Rule>),
    Any(Vec<Rule>),
}

impl VerifySpec {
    /// Reads the value of `verify`. The problems are added; nothing is given where one of them is an error.
    pub fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        rule(node, problems).map(|rule| Self { rule })
    }

    /// Fetches the secrets.
    pub fn resolve(&self, secrets: &dyn SecretSource) -> Result<Verifier, MissingSecret> {
        resolve(&self.rule, secrets).map(Verifier::new)
    }

    /// The scheme of a preset with this secret: what a sender of that name would use.
    pub fn preset(name: &str, secret: &str) -> Option<Self> {
        let schemes = presets::find(name)?.to_vec();
        let secret = SecretRef::Written(Secret::new(secret));
        Some(Self { rule: Rule::Signature(schemes, vec![secret]) })
    }
}

const KINDS: &str = "`none`, `preset`, `hmac`, `token`, `basic`, `bearer`, `all` or `any`";

fn rule(node: &Node, problems: &mut Problems) -> Option<Rule> {
    if let Some(written) = node.as_text() {
        if written == "none" {
            problems.add(
                Problem::error(Code::OpenDoor, node.span.clone(), "anybody can post to this source")
                    .help("give the sender a secret, at least `{ token: { in: path, secret: env:NAME } }`"),
            );
            return Some(Rule::Open);
        }
        problems.error(Code::Verify, &node.span, format!("{KINDS} is expected"));
        return None;
    }
    let mut fields = Fields::of(node, problems)?;
    let mut found = Vec::new();
    if let Some(value) = fields.take("preset") {
        found.push(preset(value, &mut fields, problems));
    }
    if let Some(value) = fields.take("hmac") {
        found.push(signature(value, problems));
    }
    if let Some(value) = fields.take("token") {
        found.push(token(value, problems));
    }
    if let Some(value) = fields.take("basic") {
        found.push(basic(value, problems));
    }
    if let Some(value) = fields.take("bearer") {
        found.push(bearer(value, problems));
    }
    if let Some(value) = fields.take("all") {
        found.push(rules(value, problems).map(Rule::All));
    }
    if let Some(value) = fields.take("any") {
        found.push(rules(value, problems).map(Rule::Any));
    }
    let span = fields.span().clone();
    fields.finish(problems);
    if found.len() > 1 {
        let message = "one way is expected here: put several into a list under `all` or `any`";
        problems.error(Code::Verify, &span, message);
        return None;
    }
    let Some(found) = found.pop() else {
        problems.error(Code::Verify, &span, format!("{KINDS} is expected"));
        return None;
    };
    found
}

fn preset(name: &Node, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Rule> {
    let secrets = fields.need("secret", problems).and_then(|node| secrets(node, problems));
    let tolerance = fields.take("tolerance");
    let written = read::text(name, "the name of a preset", problems)?;
    let Some(schemes) = presets::find(written) else {
        let known: Vec<_> = presets::names().collect();
        problems.add(unknown_word(name, written, known.into_iter()));
        return None;
    };
    let mut schemes = schemes.to_vec();
    if let Some(node) = tolerance {
        let tolerance = read::tolerance(node, problems)?;
        let mut stamps = schemes.iter_mut().filter_map(|s| s.timestamp.as_mut()).peekable();
        if stamps.peek().is_none() {
            let message = format!("`{written}` signs no timestamp: leave `tolerance` out");
            problems.error(Code::Verify, &node.span, message);
            return None;
        }
        stamps.for_each(|stamp| stamp.tolerance = tolerance);
    }
    Some(Rule::Signature(schemes, secrets?))
}

fn signature(node: &Node, problems: &mut Problems) -> Option<Rule> {
    let mut fields = Fields::of(node, problems)?;
    let secrets = fields.need("secret", problems).and_then(|node| secrets(node, problems));
    let scheme = read::scheme_fields(&mut fields, problems);
    fields.finish(problems);
    Some(Rule::Signature(vec![scheme?], secrets?))
}

fn token(node: &Node, problems: &mut Problems) -> Option<Rule> {
    #[derive(Clone, Copy)]
    enum In {
        Path,
        Query,
        Header,
    }
    const PLACES: &[(&str, In)] =
        &[("path", In::Path), ("query", In::Query), ("header", In::Header)];
    let mut fields = Fields::of(node, problems)?;
    let secrets = fields.need("secret", problems).and_then(|node| secrets(node, problems));
    let place = fields.need("in", problems).and_then(|node| read::word(node, PLACES, problems));
    let place = match place {
        None | Some(In::Path) => place.map(|_| TokenPlace::Path),
        Some(In::Query) => match fields.take("name") {
            None => Some(TokenPlace::Query("token".to_owned())),
            Some(name) => read::text(name, "the name of a parameter", problems)
                .map(|name| TokenPlace::Query(name.to_owned())),
        },
        Some(In::Header) => fields
            .need("name", problems)
            .and_then(|name| read::header_name(name, problems))
            .map(TokenPlace::Header),
    };
    if place.is_some() {
        fields.finish(problems);
    }
    Some(Rule::Token(place?, secrets?))
}

fn basic(node: &Node, problems: &mut Problems) -> Option<Rule> {
    let mut fields = Fields::of(node, problems)?;
    let username = fields
        .need("username", problems)
        .and_then(|name| read::text(name, "a user's name", problems));
    let secrets = fields.need("password", problems).and_then(|node| secrets(node, problems));
    fields.finish(problems);
    Some(Rule::Basic(username?.to_owned(), secrets?))
}

fn bearer(node: &Node, problems: &mut Problems) -> Option<Rule> {
    let mut fields = Fields::of(node, problems)?;
    let secrets = fields.need("secret", problems).and_then(|node| secrets(node, problems));
    fields.finish(problems);
    Some(Rule::Bearer(secrets?))
}

fn rules(node: &Node, problems: &mut Problems) -> Option<Vec<Rule>> {
    let Some(items) = node.as_list().filter(|items| !items.is_empty()) else {
        let message = "a list of ways to verify is expected, each as under `verify`";
        problems.error(Code::Verify, &node.span, message);
        return None;
    };
    // All are read before the first that failed ends it, so that every problem is reported.
    let rules: Vec<_> = items.iter().map(|item| rule(item, problems)).collect();
    rules.into_iter().collect()
}

/// One secret, or a list while the sender changes over from one to the next.
fn secrets(node: &Node, problems: &mut Problems) -> Option<Vec<SecretRef>> {
    let items = match &node.kind {
        Kind::List(items) if !items.is_empty() => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let secrets: Vec<_> = items.iter().map(|item| secret(item, problems)).collect();
    secrets.into_iter().collect()
}

fn secret(node: &Node, problems: &mut Problems) -> Option<SecretRef> {
    let written = read::text(node, "`env:NAME` or `file:/path`", problems)?;
    if let Some(name) = written.strip_prefix("env:") {
        let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(of_a_name) {
            let message = "this cannot be the name of an environment variable";
            problems.error(Code::Verify, &node.span, message);
            return None;
        }
        return Some(SecretRef::Variable(name.to_owned()));
    }
    if let Some(path) = written.strip_prefix("file:") {
        if path.is_empty() {
            problems.error(Code::Verify, &node.span, "a path is expected behind `file:`");
            return None;
        }
        return Some(SecretRef::File(path.into()));
    }
    problems.add(
        Problem::error(Code::WrittenSecret, node.span.clone(), "a secret stands in the file")
            .help("write `env:NAME` or `file:/path`, and give it there"),
    );
    Some(SecretRef::Written(Secret::new(written)))
}

fn resolve(rule: &Rule, source: &dyn SecretSource) -> Result<Check, MissingSecret> {
    let fetch = |refs: &[SecretRef]| -> Result<Vec<Secret>, MissingSecret> {
        refs.iter().map(|secret| secret.resolve(source)).collect()
    };
    let each = |rules: &[Rule]| -> Result<Vec<Check>, MissingSecret> {
        rules.iter().map(|rule| resolve(rule, source)).collect()
    };
    Ok(match rule {
        Rule::Open => Check::Open,
        Rule::Token(place, refs) => {
            Check::Credential(Credential::Token(place.clone()), fetch(refs)?)
        }
        Rule::Basic(user, refs) => Check::Credential(Credential::Basic(user.clone()), fetch(refs)?),
        Rule::Bearer(refs) => Check::Credential(Credential::Bearer, fetch(refs)?),
        Rule::Signature(schemes, refs) => Check::Signature(
            schemes.iter().map(|scheme| keyed(scheme, refs, source)).collect::<Result<_, _>>()?,
        ),
        Rule::All(rules) => Check::All(each(rules)?),
        Rule::Any(rules) => Check::Any(each(rules)?),
    })
}

fn keyed(
    scheme: &Scheme,
    refs: &[SecretRef],
    source: &dyn SecretSource,
) -> Result<Keyed, MissingSecret> {
    let key = |reference: &SecretRef| {
        let secret = reference.resolve(source)?;
        hmac::Key::new(scheme, secret).map_err(|why| reference.missing(why))
    };
    let keys = refs.iter().map(key).collect::<Result<_, _>>()?;
    Ok(Keyed { scheme: scheme.clone(), keys })
}
