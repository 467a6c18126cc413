//! `verify:` of a mapping file, read strictly; its secrets come later.

use super::check::TokenPlace;
use super::parameters::{self, Block};
use super::presets;
use super::read::{self, Reported, unknown_word};
use super::references::{public_keys, secrets};
use super::scheme::{Part, Scheme};
use super::secret::{Secret, SecretRef};
use crate::mapping::syntax::{Code, Fields, Node, Problems};
use crate::webhook::address::Network;
use crate::webhook::handshake::Handshake;

/// How the requests of a source are verified, as its file says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifySpec {
    pub(super) rule: Rule,
    /// What the sender asks before it sends events.
    pub(super) greetings: Vec<Greeting>,
}

/// A handshake, and the token that the sender gives in it, where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Greeting {
    pub(super) handshake: Handshake,
    pub(super) tokens: Vec<SecretRef>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rule {
    Open,
    Token(TokenPlace, Vec<SecretRef>),
    Basic(String, Vec<SecretRef>),
    Bearer(Vec<SecretRef>),
    Address(Vec<Network>),
    Signature(Vec<Scheme>, Vec<SecretRef>),
    All(Vec<Rule>),
    Any(Vec<Rule>),
}

impl VerifySpec {
    /// Reads the value of `verify`. The problems are added; nothing is given where one of them is an error.
    pub fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let mut greetings = Vec::new();
        let rule = rule(node, &mut greetings, problems)?;
        Some(Self { rule, greetings })
    }

    /// The preset of this name with this secret: what a sender of that name would use. `settings` are what its
    /// file would say beside them.
    pub fn preset(name: &str, secret: &str, settings: &[(&str, &str)]) -> Option<Self> {
        let preset = presets::find(name)?;
        let mut schemes = preset.schemes.clone();
        fill(&mut schemes, settings);
        let secret = SecretRef::Written(Secret::new(secret));
        let greetings =
            preset.handshake.map(|handshake| Greeting { handshake, tokens: Vec::new() });
        let greetings = greetings.into_iter().collect();
        Some(Self { rule: Rule::Signature(schemes, vec![secret]), greetings })
    }

    /// The same with other secrets in the place of its own.
    #[must_use]
    pub fn with_secret(mut self, secret: &SecretRef) -> Self {
        fn put(rule: &mut Rule, secret: &SecretRef) {
            match rule {
                Rule::Token(_, refs)
                | Rule::Basic(_, refs)
                | Rule::Bearer(refs)
                | Rule::Signature(_, refs) => *refs = vec![secret.clone()],
                Rule::All(rules) | Rule::Any(rules) => {
                    for rule in rules {
                        put(rule, secret);
                    }
                }
                Rule::Open | Rule::Address(_) => {}
            }
        }
        put(&mut self.rule, secret);
        self
    }
}

/// Puts what the file says in the place of a preset's settings.
fn fill(schemes: &mut [Scheme], settings: &[(&str, &str)]) {
    for part in schemes.iter_mut().flat_map(|scheme| &mut scheme.signed) {
        let given = |name: &String| settings.iter().find(|(own, _)| own == name);
        if let Part::Setting(name) = part
            && let Some((_, value)) = given(name)
        {
            *part = Part::Text((*value).to_owned());
        }
    }
}

const KINDS: &str =
    "`none`, `preset`, `hmac`, `public_key`, `token`, `basic`, `bearer`, `ip`, `all` or `any`";

fn rule(node: &Node, greetings: &mut Vec<Greeting>, problems: &mut Problems) -> Option<Rule> {
    if let Some(written) = node.as_text() {
        // Whoever reads the file warns of it.
        if written == "none" {
            return Some(Rule::Open);
        }
        problems.error(Code::Verify, &node.span, format!("{KINDS} is expected"));
        return None;
    }
    let mut fields = Fields::of(node, problems)?;
    let mut found = Vec::new();
    let named = fields.take("preset");
    let known = named.and_then(Node::as_text).and_then(presets::find);
    let greeting = greeting(&mut fields, known, problems).ok()?;
    let asked = greeting.as_ref().map(|greeting| greeting.handshake);
    greetings.extend(greeting);
    if let Some(value) = named {
        found.push(preset(value, &mut fields, asked, problems));
    }
    if let Some(value) = fields.take("hmac") {
        found.push(signature(value, Block::Hmac, asked, problems));
    }
    if let Some(value) = fields.take("public_key") {
        found.push(signature(value, Block::PublicKey, asked, problems));
    }
    if let Some(value) = fields.take("ip") {
        found.push(addresses(value, problems).map(Rule::Address));
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
        found.push(rules(value, greetings, problems).map(Rule::All));
    }
    if let Some(value) = fields.take("any") {
        found.push(rules(value, greetings, problems).map(Rule::Any));
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

/// `handshake:`, or that of the preset, and `challenge_token:` for those that have one.
fn greeting(
    fields: &mut Fields<'_>,
    preset: Option<&presets::Preset>,
    problems: &mut Problems,
) -> Result<Option<Greeting>, Reported> {
    let mut handshake = preset.and_then(|preset| preset.handshake);
    if let Some(node) = fields.take("handshake") {
        let said = read::word(node, &Handshake::words(), problems).ok_or(Reported)?;
        if handshake.is_some_and(|own| own != said) {
            let message = "the preset has a handshake of its own: leave `handshake` out";
            problems.error(Code::Verify, &node.span, message);
            return Err(Reported);
        }
        handshake = Some(said);
    }
    let token = fields.take("challenge_token");
    let tokens = match (token, handshake) {
        (None, Some(handshake)) if handshake.needs_token() && preset.is_none() => {
            let message = format!(
                "`{}` needs the token that its sender gives: say `challenge_token: env:NAME`",
                handshake.name()
            );
            problems.error(Code::MissingKey, fields.span(), message);
            return Err(Reported);
        }
        (None, _) => Vec::new(),
        (Some(node), Some(handshake)) if handshake.needs_token() => {
            secrets(node, false, problems).ok_or(Reported)?
        }
        (Some(node), _) => {
            let message = "no handshake here has a token: leave `challenge_token` out";
            problems.error(Code::Verify, &node.span, message);
            return Err(Reported);
        }
    };
    Ok(handshake.map(|handshake| Greeting { handshake, tokens }))
}

fn preset(
    name: &Node,
    fields: &mut Fields<'_>,
    asked: Option<Handshake>,
    problems: &mut Problems,
) -> Option<Rule> {
    let written = read::text(name, "the name of a preset", problems)?;
    let known = presets::find(written);
    let secrets = match fields.take("key") {
        Some(node) if known.is_none_or(presets::Preset::has_public_key) => {
            public_keys(node, problems)
        }
        Some(node) => {
            let message = format!("`{written}` signs with a shared secret: write `secret`");
            problems.error(Code::Verify, &node.span, message);
            None
        }
        None => {
            let adopts = asked == Some(Handshake::Asana);
            fields.need("secret", problems).and_then(|node| secrets(node, adopts, problems))
        }
    };
    let tolerance = fields.take("tolerance");
    let version = fields.take("version");
    let signed_bytes = fields.take("signed_bytes");
    let Some(preset) = known else {
        let known: Vec<_> = presets::names().collect();
        problems.add(unknown_word(name, written, known.into_iter()));
        return None;
    };
    let mut schemes = preset.schemes.clone();
    for setting in preset.settings() {
        let node = fields.need(setting, problems)?;
        let value = read::text(node, "a text", problems)?;
        fill(&mut schemes, &[(setting, value)]);
    }
    if let Some(node) = version {
        let written = read::text(node, "the name of a version", problems)?;
        schemes.retain(|scheme| scheme.version.as_deref() == Some(written));
        if schemes.is_empty() {
            problems.add(unknown_word(node, written, preset.versions().into_iter()));
            return None;
        }
    }
    if let Some(node) = signed_bytes {
        let signed_bytes = read::word(node, parameters::SIGNED_BYTES, problems)?;
        for scheme in &mut schemes {
            scheme.signed_bytes = signed_bytes;
        }
    }
    if let Some(node) = tolerance {
        let tolerance = read::tolerance(node, problems)?;
        let mut stamps = schemes.iter_mut().filter_map(|s| s.timestamp.as_mut()).peekable();
        if stamps.peek().is_none() {
            let message = format!("`{written}` signs no timestamp: leave `tolerance` out");
            problems.error(Code::Verify, &node.span, message);
            return None;
        }
        for stamp in stamps {
            stamp.tolerance = tolerance;
        }
    }
    Some(Rule::Signature(schemes, secrets?))
}

fn signature(
    node: &Node,
    block: Block,
    asked: Option<Handshake>,
    problems: &mut Problems,
) -> Option<Rule> {
    let mut fields = Fields::of(node, problems)?;
    let secrets = if block == Block::PublicKey {
        fields.need("key", problems).and_then(|node| public_keys(node, problems))
    } else {
        let adopts = asked == Some(Handshake::Asana);
        fields.need("secret", problems).and_then(|node| secrets(node, adopts, problems))
    };
    let scheme = parameters::scheme_fields(&mut fields, block, problems);
    fields.finish(problems);
    Some(Rule::Signature(vec![scheme?], secrets?))
}

fn addresses(node: &Node, problems: &mut Problems) -> Option<Vec<Network>> {
    let items = node.as_list().unwrap_or(std::slice::from_ref(node));
    let network = |item: &Node| {
        let read = read::text(item, "an address", problems)?.parse();
        read.map_err(|error: crate::webhook::address::InvalidNetwork| {
            problems.error(Code::Verify, &item.span, error.to_string());
        })
        .ok()
    };
    let networks: Vec<_> = items.iter().map(network).collect();
    if networks.is_empty() {
        problems.error(Code::Verify, &node.span, "nobody is let in: name an address at least");
        return None;
    }
    networks.into_iter().collect()
}

fn token(node: &Node, problems: &mut Problems) -> Option<Rule> {
    #[derive(Clone, Copy)]
    enum In {
        Path,
        Query,
        Header,
        Body,
    }
    const PLACES: &[(&str, In)] =
        &[("path", In::Path), ("query", In::Query), ("header", In::Header), ("body", In::Body)];
    let mut fields = Fields::of(node, problems)?;
    let secrets = fields.need("secret", problems).and_then(|node| secrets(node, false, problems));
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
        Some(In::Body) => fields
            .need("path", problems)
            .and_then(|path| read::pointer(path, true, problems))
            .map(TokenPlace::Body),
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
    let secrets = fields.need("password", problems).and_then(|node| secrets(node, false, problems));
    fields.finish(problems);
    Some(Rule::Basic(username?.to_owned(), secrets?))
}

fn bearer(node: &Node, problems: &mut Problems) -> Option<Rule> {
    let mut fields = Fields::of(node, problems)?;
    let secrets = fields.need("secret", problems).and_then(|node| secrets(node, false, problems));
    fields.finish(problems);
    Some(Rule::Bearer(secrets?))
}

fn rules(node: &Node, greetings: &mut Vec<Greeting>, problems: &mut Problems) -> Option<Vec<Rule>> {
    let Some(items) = node.as_list().filter(|items| !items.is_empty()) else {
        let message = "a list of ways to verify is expected, each as under `verify`";
        problems.error(Code::Verify, &node.span, message);
        return None;
    };
    // All are read before the first that failed ends it, so that every problem is reported.
    let rules: Vec<_> = items.iter().map(|item| rule(item, greetings, problems)).collect();
    rules.into_iter().collect()
}
