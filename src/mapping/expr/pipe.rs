//! A value that goes through steps, from left to right.

use super::evaluated::Evaluated;
use super::path::Path;
use super::scope::Scope;
use super::value::{Expr, Unmapped};
use crate::contact::Mobile;
use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::explain::{Gave, What};
use crate::mapping::steps::{Call, Effect, Step};

/// A value and the steps it goes through.
#[derive(Debug)]
pub struct Piped {
    from: Expr,
    steps: Vec<Placed>,
}

/// A step, and the name it is called by in messages.
#[derive(Debug)]
pub(in crate::mapping) struct Placed {
    pub(in crate::mapping) name: Box<str>,
    /// The step with its arguments, as notes have it.
    written: Box<str>,
    pub(in crate::mapping) step: Step,
}

impl Placed {
    pub(in crate::mapping) fn new(call: &Call<'_>, step: Step) -> Self {
        Self { name: call.name.as_str().into(), written: call.written().into(), step }
    }
}

impl Piped {
    pub(in crate::mapping) fn new(from: Expr, steps: Vec<Placed>) -> Self {
        Self { from, steps }
    }

    /// The value before the first step.
    pub fn from(&self) -> &Expr {
        &self.from
    }

    pub(super) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        self.from.each_path(then);
        self.steps.iter().for_each(|placed| placed.step.each_path(then));
    }

    pub(super) fn give<'s>(
        &'s self,
        scope: &Scope<'s>,
        unmapped: Unmapped,
    ) -> Result<Evaluated<'s>, Held> {
        let mut value = self.from.give(scope, unmapped)?;
        // Whether what is at hand came out of `phone` and was only chosen from since.
        let mut is_mobile = matches!(value, Evaluated::Mobile(_));
        for Placed { name, written, step } in &self.steps {
            let was_blank = value.is_blank();
            let at = |held: Held| held.at(&format!("{}, step `{name}`", self.from.label()));
            let input = scope.is_noted().then(|| Gave::found(&value));
            value = scope
                .note(
                    || step.apply(value, scope, unmapped),
                    |found| What::Step {
                        step: written.clone(),
                        input: input.unwrap_or(Gave::Absent),
                        gave: Gave::of(found),
                    },
                )
                .map_err(at)?;
            is_mobile = match step.effect() {
                Effect::ReadsPhones => true,
                Effect::Chooses => is_mobile,
                Effect::FillsBlanks => is_mobile && !was_blank,
                Effect::Changes => false,
            };
        }
        if is_mobile
            && let Evaluated::One(one) = &value
            && let Value::Text(text) | Value::Number(text) = &**one
            && let Ok(mobile) = Mobile::try_from(text.to_string())
        {
            return Ok(Evaluated::Mobile(mobile));
        }
        Ok(value)
    }
}
