//! Where secrets and public keys are, read strictly.

use super::read;
use super::secret::{Secret, SecretRef};
use crate::mapping::syntax::{Code, Kind, Node, Problems};

/// One secret, or a list while the sender changes over from one to the next; `adopt` alone where the sender gives it.
pub(super) fn secrets(
    node: &Node,
    adopts: bool,
    problems: &mut Problems,
) -> Option<Vec<SecretRef>> {
    if node.as_text() == Some("adopt") {
        if adopts {
            return Some(vec![SecretRef::Adopted]);
        }
        let message = "only a sender that gives its secret in its first request can be believed so (`handshake: asana`)";
        problems.error(Code::Verify, &node.span, message);
        return None;
    }
    let items = match &node.kind {
        Kind::List(items) if !items.is_empty() => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let secrets: Vec<_> = items.iter().map(|item| secret(item, problems)).collect();
    secrets.into_iter().collect()
}

/// One public key or several: as secrets, but they may stand in the file.
pub(super) fn public_keys(node: &Node, problems: &mut Problems) -> Option<Vec<SecretRef>> {
    let items = match &node.kind {
        Kind::List(items) if !items.is_empty() => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut key = |item: &Node| {
        let written = read::text(item, "`env:NAME`, `file:/path` or the key itself", problems)?;
        if written.starts_with("env:") || written.starts_with("file:") {
            return secret(item, problems);
        }
        Some(SecretRef::Written(Secret::new(written)))
    };
    let keys: Vec<_> = items.iter().map(&mut key).collect();
    keys.into_iter().collect()
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
    // Whoever reads the file warns of it.
    Some(SecretRef::Written(Secret::new(written)))
}
