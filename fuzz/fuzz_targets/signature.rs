//! Headers (`name: value`, one a line), an empty line and a body, held against every preset: none is ever believed.
#![no_main]

use std::sync::LazyLock;

use chatflow_bridge::webhook::head::Head;
use chatflow_bridge::webhook::verify::{SecretSource, Verdict, Verifier, VerifySpec, presets};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

/// There are no secrets but those that are handed in.
struct NoSecrets;

impl SecretSource for NoSecrets {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &std::path::Path) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(|| {
    // A key in hexadecimal is one as text and in base64 as well.
    let secret = "0123456789abcdef0123456789abcdef";
    presets()
        .filter_map(|name| VerifySpec::preset(name, secret, &[])?.resolve(&NoSecrets).ok())
        .collect()
});

fuzz_target!(|text: &str| {
    let (lines, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut head =
        Head { method: "POST".to_owned(), path: "/hooks/s".to_owned(), ..Head::default() };
    for line in lines.lines() {
        if let Some((name, value)) = line.split_once(": ") {
            head.headers.add(name, value);
        } else {
            head.query = line.to_owned();
        }
    }
    let now = Timestamp::from_second(1_795_435_200).expect("a moment");
    for verifier in VERIFIERS.iter() {
        assert!(!matches!(verifier.judge_head(&head, now), Verdict::Genuine));
        assert!(!matches!(verifier.judge(&head, body.as_bytes(), now), Verdict::Genuine));
    }
});
