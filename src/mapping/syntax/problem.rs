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
        }
    };
}

codes! {
    // The file and its keys: E00x
    /// The file is not YAML as mapping files use it.
    Yaml = "E001",
    /// A key that is not known here.
    UnknownKey = "E002",
    /// A key that stands twice.
    RepeatedKey = "E003",
    /// A key that must be there and is not.
    MissingKey = "E004",
    /// A value of the wrong shape: a list where one value is expected, or the like.
    Shape = "E005",
    /// A word that is none of those that can stand here.
    Word = "E006",
    /// A name that cannot be one, or that stands twice.
    Name = "E007",
    /// A duration, size or number that cannot be read.
    Quantity = "E008",
    // Values and conditions: E01x to E03x
    /// A path that cannot be read, or whose root is not known.
    Path = "E010",
    /// A step that is not known, or is given what it does not take.
    Step = "E011",
    /// A template that cannot be read.
    Template = "E012",
    /// A value that cannot stand here.
    Value = "E013",
    /// A condition that cannot be read.
    Condition = "E014",
    /// A regular expression that cannot be read.
    Pattern = "E015",
    /// A country or a time zone that is not known.
    Place = "E016",
    // Verification and answers: E04x
    /// A `verify` that cannot be read.
    Verify = "E040",
    // Warnings
    /// A source that takes anything from anybody.
    OpenDoor = "W001",
    /// A secret that stands in the file.
    WrittenSecret = "W002",
    /// A source without `event.id`: a repeat cannot be known.
    NoEventId = "W003",
    /// A source without tests.
    NoTests = "W004",
    /// Consent that is given without a condition, or read from a bare path.
    Consent = "W005",
    /// `tags` replaces all the tags of a contact.
    ReplacesTags = "W006",
    /// A rule that is never asked, since one before it always matches.
    NeverAsked = "W010",
    /// A tag that one rule both adds and removes: it is removed.
    TagTwice = "W011",
    /// A tag with a comma: it cannot be added or removed while tags are sent as one text.
    TagWithComma = "W012",
    /// An `event.id` made with `join`: a part that is missing is passed over, and two events may share an id.
    JoinedId = "W013",
    /// A plain `yes`, `no`, `on` or `off`: text here, a boolean for other YAML tools.
    PlainBoolean = "W014",
    /// A path into an array that a form or XML does not have when it sends the field once.
    MayComeOnce = "W015",
    /// A tag or an attribute that a rule uses and `requires` does not list.
    NotRequired = "W016",
    /// An entry of a table that no word can reach after the step before `map`, such as `Pro` after `lower`.
    NeverReached = "W017",
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
