//! What is wrong with a mapping file, with its place.

use std::ops::Range;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// The kind of a problem; its code never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// `E012` for an error, `W012` for a warning.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What it means and what to do.
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc, "\n",)+),)+ }
            }

            /// The code that is written so, in capitals or not.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
            }
        }
    };
}

codes! {
    // The file and its keys: E00x
    /// The file is not YAML as mapping files use it: one document, indented with spaces, without anchors, aliases,
    /// tags and merge keys. What looks like a template or a path goes in quotes where YAML would stumble over it.
    Yaml = "E001",
    /// A key that is not known here. Keys are checked at every level, so that a slip is not silently without effect.
    UnknownKey = "E002",
    /// A key that stands twice in one block: one of the two would be silently without effect.
    RepeatedKey = "E003",
    /// A key that must be there and is not: every source says `verify` and `rules`, every rule `name`, `contact` and
    /// `update`, every test `name`, a body and `expect`.
    MissingKey = "E004",
    /// A value of the wrong shape: a list where one value is expected, one value where a block of keys is, or nothing
    /// at all.
    Shape = "E005",
    /// A word that is none of those that can stand here.
    Word = "E006",
    /// A name that cannot be one, that stands twice, or that nothing has. Sources have 1 to 63 of `a-z`, `0-9` and `-`;
    /// a `let` has letters, digits and `_`; rules have names of their own, and tests name rules that there are.
    Name = "E007",
    /// A duration, a size, a number or a time that cannot be read. Durations and sizes have a unit: `30s`, `7d`, `5MiB`.
    Quantity = "E008",
    // Values and conditions: E01x to E03x
    /// A path that cannot be read, or whose root is not known. `$` is the document, `$headers`, `$query` and `$event` what
    /// stands around it, `$item` the item of `for_each`, and `$name` a `let`; names with a blank or a dash go in brackets.
    Path = "E010",
    /// A step that is not known, or is given what it does not take. Steps stand after `|`, from left to right.
    Step = "E011",
    /// A template that cannot be read. Between `{{` and `}}` stand `body`, `item`, `headers`, `query`, `event` or the name
    /// of a `let`, with steps as filters; there are no statements.
    Template = "E012",
    /// A value that cannot stand here, or that something else is needed for.
    Value = "E013",
    /// A condition that cannot be read: a path, and what it must equal, a list of which it must be one, or tests such as
    /// `{ gt: 5 }`; `all`, `any` and `not` nest.
    Condition = "E014",
    /// A regular expression that cannot be read. They are those of Rust's `regex`: no look-around, no references back.
    Pattern = "E015",
    /// A country or a time zone that is not known. Countries have two letters (ISO 3166), time zones a name (IANA).
    Place = "E016",
    // Verification and answers: E04x
    /// A `verify` that cannot be read: a preset that is not known, or a scheme that lacks a part of it.
    Verify = "E040",
    // Warnings
    /// A source that takes anything from anybody who knows the address. Most senders can sign; those that cannot can keep a
    /// token in the path.
    OpenDoor = "W001",
    /// A secret that stands in the file, and so in its backups and its history. `env:NAME` takes it from the environment,
    /// `file:/path` from a file that is read again when it changes.
    WrittenSecret = "W002",
    /// A source without `event.id`: a sender that sends an event twice has it applied twice. `id: none` says that the sender
    /// has no id.
    NoEventId = "W003",
    /// A source without tests: nobody knows that it does what it should, or still does after the next change.
    NoTests = "W004",
    /// Consent that is given without a condition, or read from a bare path: a box that is not ticked would withdraw what was
    /// given elsewhere. `bool(yes=[…])` says which values are consent and leaves the rest alone.
    Consent = "W005",
    /// `tags` replaces all the tags of a contact, also those that people and other systems have set.
    ReplacesTags = "W006",
    /// A rule that is never asked: under `match: first` one before it has no condition, and so always matches.
    NeverAsked = "W010",
    /// A tag that one rule both adds and removes: it is removed.
    TagTwice = "W011",
    /// A tag with a comma: it cannot be added or removed while tags are sent as one text (`chatflow.wire.tag_changes: string`).
    TagWithComma = "W012",
    /// An `event.id` made with `join`: a part that is missing is passed over, and two events may share an id. In a list of
    /// parts one that is missing makes it no id.
    JoinedId = "W013",
    /// A plain `yes`, `no`, `on` or `off`: text here, a boolean for other YAML tools.
    PlainBoolean = "W014",
    /// A path into an array that a form or XML does not have when it sends the field once: then there is one value and no
    /// array. `always_arrays` makes it one.
    MayComeOnce = "W015",
    /// A tag or an attribute that a rule uses and `requires` does not list, so that nobody makes sure that it exists.
    NotRequired = "W016",
    /// An entry of a table that no word can reach after the step before `map`, such as `Pro` after `lower`.
    NeverReached = "W017",
    /// A tag or an attribute that `requires` lists and no rule uses: people make it for nothing, or a rule misspells it.
    /// Where rules take names from the event, none is reported.
    NotUsed = "W018",
    /// A text under `value` that would be a path under `from`: it is sent as it stands.
    TextLikeAPath = "W019",
    // What only the API can tell: asked by `check --api`
    /// A tag that a rule uses and Chatflow's settings do not have: the API refuses the whole update. Make the tag in
    /// Chatflow first, or take the name of one that is there.
    UnknownTag = "W020",
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// It does what it says, and that may not be what was meant.
    Warning,
    /// It cannot be used.
    Error,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub code: Code,
    /// Where, in bytes of the file.
    pub span: Range<usize>,
    /// What is wrong: what was expected, what was found.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// A problem without help.
    pub fn error(code: Code, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), help: None }
    }

    /// A warning, with what to write instead; its code begins with `W`.
    pub fn warning(
        code: Code,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::error(code, span.clone(), message).help(help)
    }

    /// The same, with what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// How bad it is: its code begins with `W` for a warning.
    pub fn severity(&self) -> Severity {
        if self.code.as_str().starts_with('W') { Severity::Warning } else { Severity::Error }
    }
}

/// All that is wrong with one file.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
}

impl Problems {
    /// Adds one.
    pub fn add(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Adds an error without help.
    pub fn error(&mut self, code: Code, span: &Range<usize>, message: impl Into<String>) {
        self.add(Problem::error(code, span.clone(), message));
    }

    /// Takes one back.
    pub(super) fn withdraw(&mut self, problem: &Problem) {
        if let Some(at) = self.list.iter().position(|own| own == problem) {
            self.list.remove(at);
        }
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity() == Severity::Error)
    }

    /// All of them, in the order of the file.
    pub fn into_sorted(mut self) -> Vec<Problem> {
        self.list.sort_by_key(|problem| (problem.span.start, problem.code.as_str()));
        self.list.dedup();
        self.list
    }
}
