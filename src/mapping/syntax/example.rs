//! For each code, what triggers it and what to write instead: for `check --explain`.

use super::problem::Code;

/// Parts of a mapping file: those that are wrong, and the same as they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// What has the problem.
    pub wrong: &'static str,
    /// What to write instead.
    pub right: &'static str,
}

impl Code {
    /// An example of the problem, and of what to write instead. What a whole file needs beside it is left out.
    #[expect(clippy::too_many_lines, reason = "one entry for each code")]
    pub const fn example(self) -> Example {
        let (wrong, right) = match self {
            Self::Yaml => ("let:\n  full: {{ body.name }}", "let:\n  full: \"{{ body.name }}\""),
            Self::UnknownKey => (
                "rules:\n  - name: lead\n    wen: { $.kind: lead }\n    contact: { mobile: $.phone }\n    update: { name: $.name }",
                "rules:\n  - name: lead\n    when: { $.kind: lead }\n    contact: { mobile: $.phone }\n    update: { name: $.name }",
            ),
            Self::RepeatedKey => {
                ("event:\n  id: $.id\n  id: $.uuid", "event:\n  id: { first_of: [$.id, $.uuid] }")
            }
            Self::MissingKey => (
                "rules:\n  - name: lead\n    update: { name: $.name }",
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { name: $.name }",
            ),
            Self::Shape => (
                "rules:\n  name: lead\n  contact: { mobile: $.phone }\n  update: { name: $.name }",
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { name: $.name }",
            ),
            Self::NeverReached => (
                "tables:\n  plans: { Pro: paid }\nlet:\n  plan: $.plan | lower | map(plans)",
                "tables:\n  plans: { pro: paid }\nlet:\n  plan: $.plan | lower | map(plans)",
            ),
            Self::Word => ("match: one", "match: first"),
            Self::Name => ("source: My Shop", "source: my-shop"),
            Self::Quantity => (
                "event:\n  id: $.id\n  dedupe_window: 7",
                "event:\n  id: $.id\n  dedupe_window: 7d",
            ),
            Self::Path => ("let:\n  phone: $.phone number", "let:\n  phone: $['phone number']"),
            Self::Step => (
                "let:\n  email: $.email | trimm | lowercase",
                "let:\n  email: $.email | trim | lower",
            ),
            Self::Template => (
                "let:\n  full: \"{{ body.first }} {% if body.last %}{{ body.last }}{% endif %}\"",
                "let:\n  full: { join: [$.first, $.last], with: \" \" }",
            ),
            Self::Value => (
                "stale_guard: true\nevent: { id: $.id }",
                "stale_guard: true\nevent: { id: $.id, occurred_at: $.created_at }",
            ),
            Self::Condition => {
                ("control:\n  - { $.size: { above: 50 } }", "control:\n  - { $.size: { gt: 50 } }")
            }
            Self::Pattern => (
                "let:\n  code: $.text | regex(\"(?<=#)[0-9]+\")",
                "let:\n  code: $.text | regex(\"#([0-9]+)\", group=1)",
            ),
            Self::Place => ("country: India", "country: IN"),
            Self::Verify => (
                "verify: { preset: git-hub, secret: env:GITHUB_SECRET }",
                "verify: { preset: github, secret: env:GITHUB_SECRET }",
            ),
            Self::OpenDoor => {
                ("verify: none", "verify: { token: { in: path, secret: env:CRM_TOKEN } }")
            }
            Self::WrittenSecret => (
                "verify: { preset: github, secret: correct-horse-battery }",
                "verify: { preset: github, secret: env:GITHUB_SECRET }",
            ),
            Self::NoEventId => ("event:\n  type: $.kind", "event:\n  id: $.id\n  type: $.kind"),
            Self::NoTests => (
                "tests: []",
                "tests:\n  - name: another kind of event\n    body: { kind: ping }\n    expect: ignored",
            ),
            Self::Consent => (
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { optin: $.agreed }",
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { optin: '$.agreed | bool(yes=[true, \"on\"])' }",
            ),
            Self::ReplacesTags => (
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { tags: [lead] }",
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { tags_to_add: [lead] }",
            ),
            Self::NeverAsked => (
                "match: first\nrules:\n  - name: any\n    contact: { mobile: $.phone }\n    update: { name: $.name }\n  - name: lead\n    when: { $.kind: lead }\n    contact: { mobile: $.phone }\n    update: { tags_to_add: [lead] }",
                "match: first\nrules:\n  - name: lead\n    when: { $.kind: lead }\n    contact: { mobile: $.phone }\n    update: { tags_to_add: [lead] }\n  - name: any\n    contact: { mobile: $.phone }\n    update: { name: $.name }",
            ),
            Self::TagTwice => (
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { tags_to_add: [lead, new], tags_to_remove: [lead] }",
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { tags_to_add: [new], tags_to_remove: [lead] }",
            ),
            Self::TagWithComma => (
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { tags_to_add: ['lead, new'] }",
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { tags_to_add: [lead, new] }",
            ),
            Self::JoinedId => (
                "event:\n  id: { join: [$.order, $.status], with: \"-\" }",
                "event:\n  id: [$.order, $.status]",
            ),
            Self::PlainBoolean => {
                ("tables:\n  consent: { ticked: yes }", "tables:\n  consent: { ticked: \"yes\" }")
            }
            Self::MayComeOnce => (
                "body: { format: form }\nlet:\n  topics: $.topic[*]",
                "body: { format: form, always_arrays: [topic] }\nlet:\n  topics: $.topic[*]",
            ),
            Self::NotRequired => (
                "requires: { tags: [lead] }\nrules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { tags_to_add: [lead, new] }",
                "requires: { tags: [lead, new] }\nrules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { tags_to_add: [lead, new] }",
            ),
            Self::NotUsed => (
                "requires: { tags: [lead, leed] }\nrules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { tags_to_add: [lead] }",
                "requires: { tags: [lead] }\nrules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { tags_to_add: [lead] }",
            ),
            Self::TextLikeAPath => (
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { name: { value: $.name, when: { $.new: true } } }",
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { name: { from: $.name, when: { $.new: true } } }",
            ),
            Self::UnknownTag => (
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { tags_to_add: [leed] }",
                "rules:\n  - name: lead\n    contact: { mobile: $.phone }\n    update: { tags_to_add: [lead] }",
            ),
        };
        Example { wrong, right }
    }
}
