//! Lists of tags in a rule, and tags kept as the sender has them.

use super::Held;
use super::expr::{Evaluated, Expr, Path, Reading, Scope};
use super::syntax::{Code, Fields, Kind, Node, Problem, Problems, scalar};

/// A list field: one value or several, each of which may give several tags.
#[derive(Debug, Default)]
pub(super) struct TagList(Vec<Expr>);

impl TagList {
    pub(super) fn read(node: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Self {
        Self(items(node).iter().filter_map(|item| Expr::read(item, reading, problems)).collect())
    }

    /// The tags that stand in the file as they are, also those that are added on a condition.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        let mut found = Vec::new();
        for item in &self.0 {
            literals(item, &mut found);
        }
        found.into_iter()
    }

    /// Whether a tag may be another than those that stand in the file.
    pub(super) fn takes_names(&self) -> bool {
        self.0.iter().any(takes_names)
    }

    /// Hands over every path that is read.
    pub(super) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        self.0.iter().for_each(|item| item.each_path(then));
    }

    /// The tags, without blanks and repeats, in order.
    pub(super) fn texts(&self, scope: &Scope<'_>) -> Result<Vec<String>, Held> {
        let mut tags = Vec::new();
        for item in &self.0 {
            add(item, scope, &mut tags)?;
        }
        Ok(tags)
    }

    /// The whole new list: nothing where it says nothing, empty where `{ remove: true }` clears all.
    pub(super) fn replacement(&self, scope: &Scope<'_>) -> Result<Option<Vec<String>>, Held> {
        let (mut clears, mut tags) = (false, Vec::new());
        for item in &self.0 {
            if matches!(item.evaluate(&scope.unnoted())?, Evaluated::Remove) {
                clears = true;
            } else {
                add(item, scope, &mut tags)?;
            }
        }
        Ok((clears || !tags.is_empty()).then_some(tags))
    }
}

/// The texts that a value may be and that stand in the file.
fn literals<'e>(item: &'e Expr, found: &mut Vec<&'e str>) {
    match item {
        Expr::Literal(value) => found.extend(value.as_text()),
        Expr::FirstOf(items) | Expr::AllOf(items) => {
            for item in items {
                literals(item, found);
            }
        }
        Expr::Guarded(guarded) => literals(guarded.value(), found),
        Expr::Path(_)
        | Expr::Template(_)
        | Expr::Piped(_)
        | Expr::Join(..)
        | Expr::Index(_)
        | Expr::Remove => {}
    }
}

fn takes_names(item: &Expr) -> bool {
    match item {
        Expr::Literal(_) | Expr::Remove => false,
        Expr::FirstOf(items) | Expr::AllOf(items) => items.iter().any(takes_names),
        Expr::Guarded(guarded) => takes_names(guarded.value()),
        Expr::Path(_) | Expr::Template(_) | Expr::Piped(_) | Expr::Join(..) | Expr::Index(_) => {
            true
        }
    }
}

fn add(item: &Expr, scope: &Scope<'_>, tags: &mut Vec<String>) -> Result<(), Held> {
    for tag in item.texts(scope)?.unwrap_or_default() {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(())
}

/// `tags_sync`: of these tags, those that the sender's full list has are added and the others removed.
#[derive(Debug)]
pub(super) struct Sync {
    from: Expr,
    among: Vec<String>,
}

impl Sync {
    pub(super) fn read(
        node: &Node,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut fields = Fields::of(node, problems)?;
        let from = fields.need("from", problems).and_then(|n| Expr::read(n, reading, problems));
        let among = fields.need("among", problems).map(|n| scalar::words(n, "a tag", problems));
        fields.finish(problems);
        Some(Self { from: from?, among: among? })
    }

    /// The tags that are kept as the sender has them.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.among.iter().map(String::as_str)
    }

    /// Hands over every path that is read.
    pub(super) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        self.from.each_path(then);
    }

    /// Tags to add and to remove: none where the sender did not speak of tags.
    pub(super) fn changes(&self, scope: &Scope<'_>) -> Result<(Vec<String>, Vec<String>), Held> {
        let Some(theirs) = self.from.texts(scope)? else { return Ok(Default::default()) };
        Ok(self.among.iter().cloned().partition(|tag| theirs.contains(tag)))
    }
}

/// Warns of tags that are both added and removed, and of those with a comma.
pub(super) fn warn(add: Option<&Node>, remove: Option<&Node>, problems: &mut Problems) {
    let literal = |node: &&Node| {
        node.as_text().is_some_and(|text| !text.starts_with('$') && !text.contains("{{"))
    };
    let (add, remove) = (add.map(items).unwrap_or_default(), remove.map(items).unwrap_or_default());
    for node in add.iter().filter(literal) {
        if remove.iter().any(|other| other.as_text() == node.as_text()) {
            problems.add(Problem::warning(
                Code::TagTwice,
                &node.span,
                "this tag is both added and removed: it is removed",
                "leave it out of one of the two",
            ));
        }
    }
    for node in add.iter().chain(remove).filter(literal) {
        if node.as_text().is_some_and(|text| text.contains(',')) {
            problems.add(Problem::warning(
                Code::TagWithComma,
                &node.span,
                "a tag with a comma cannot be added or removed while tags are sent as one text",
                "two tags are two items; else set `chatflow.wire.tag_changes: array`",
            ));
        }
    }
}

/// Refuses `{ remove: true }` where it means nothing.
pub(super) fn refuse_remove(node: &Node, problems: &mut Problems) {
    for item in items(node) {
        let Kind::Map(entries) = &item.kind else { continue };
        if let Some((key, _)) = entries.iter().find(|(key, _)| key.as_text() == Some("remove")) {
            let problem =
                Problem::error(Code::Value, key.span.clone(), "`remove` cannot stand here");
            problems.add(problem.help("it removes an attribute, or in `tags` clears all tags"));
        }
    }
}

fn items(node: &Node) -> &[Node] {
    if node.is_null() { &[] } else { node.as_list().unwrap_or(std::slice::from_ref(node)) }
}
