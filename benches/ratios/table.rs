//! The table at the end.

use std::fmt;

/// Rows of what was measured.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<[String; 4]>);

impl Table {
    /// A row: what, the ratio (or figure), the budget, and the figures it was made of.
    pub(crate) fn row(&mut self, what: &str, ratio: &str, budget: &str, figures: &str) {
        self.0.push([what, ratio, budget, figures].map(str::to_owned));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | ratio | budget | figures of this run |\n| --- | --- | --- | --- |")?;
        for [what, ratio, budget, figures] in &self.0 {
            writeln!(f, "| {what} | {ratio} | {budget} | {figures} |")?;
        }
        Ok(())
    }
}

/// The middle of some figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
