//! A run in numbers.

use std::fmt;
use std::time::Duration;

use super::check::{Seen, effects, repeats};
use super::load::Load;

/// What a run counts itself.
pub(super) struct Counted {
    pub(super) seed: u64,
    pub(super) kills: usize,
    /// Of them, those after so short a time that the process may not have listened.
    pub(super) starting: usize,
    pub(super) duplicates: usize,
    /// From the start of each process to its first 2xx.
    pub(super) recovered: Vec<Duration>,
    /// From the last start to the end of all that waited.
    pub(super) drained: Duration,
    pub(super) took: Duration,
    /// What was promised and does not hold.
    pub(super) wrong: Vec<String>,
}

/// What a run shows.
pub(super) struct Report<'a> {
    pub(super) load: &'a Load,
    pub(super) lives: &'a [Seen],
    pub(super) counted: &'a Counted,
}

impl Report<'_> {
    fn rows(&self) -> [(&'static str, String); 11] {
        let Self { load, lives, counted } = self;
        let asked = |method: &str| {
            lives.iter().flatten().filter(|request| request.method == method).count()
        };
        let effects = effects(lives);
        let took_effect: usize = effects.values().map(Vec::len).sum();
        let mut recovered = counted.recovered.clone();
        recovered.sort_unstable();
        let median = recovered.get(recovered.len() / 2).copied().unwrap_or_default();
        let longest = recovered.last().copied().unwrap_or_default();
        [
            ("seed", counted.seed.to_string()),
            ("kills", format!("{}, {} of them at the start", counted.kills, counted.starting)),
            ("events accepted", load.events().count().to_string()),
            ("repeats answered `duplicate`", counted.duplicates.to_string()),
            (
                "look-ups, creates, updates sent",
                format!("{}, {}, {}", asked("GET"), asked("POST"), asked("PUT")),
            ),
            ("updates sent that took effect", took_effect.to_string()),
            ("– of them the same as the one before", repeats(&effects).to_string()),
            ("updates refused, now in the dead letters", load.refused().to_string()),
            (
                "start to first 2xx, median and longest",
                format!("{} ms, {} ms", median.as_millis(), longest.as_millis()),
            ),
            (
                "last start to nothing waiting; the whole run",
                format!(
                    "{:.1} s; {:.0} s",
                    counted.drained.as_secs_f64(),
                    counted.took.as_secs_f64()
                ),
            ),
            ("**violations**", counted.wrong.len().to_string()),
        ]
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | found |\n| --- | --- |")?;
        for (what, found) in self.rows() {
            writeln!(f, "| {what} | {found} |")?;
        }
        for wrong in self.counted.wrong.iter().take(20) {
            writeln!(f, "violation: {wrong}")?;
        }
        Ok(())
    }
}
