//! What every form in braces takes besides: `when`, `default`, `required`, `empty` and `on_error`.

use super::evaluated::Evaluated;
use super::path::Path;
use super::scope::Scope;
use super::value::{Expr, Unmapped};
use crate::contact::HeldReason;
use crate::mapping::explain::{Gave, What};
use crate::mapping::{Held, When};

/// A value with options.
#[derive(Debug)]
pub struct Guarded {
    pub(super) value: Expr,
    pub(super) options: Options,
}

/// The options of a form.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// Without it the value is absent.
    pub(super) when: Option<When>,
    /// What stands in for a blank.
    pub(super) default: Option<Expr>,
    /// Whether a blank is held.
    pub(super) required: bool,
    /// Whether a blank that is there removes.
    pub(super) removes_empty: bool,
    /// Whether a failure is as good as nothing.
    pub(super) forgives: bool,
}

impl Options {
    pub(super) fn is_plain(&self) -> bool {
        self.when.is_none()
            && self.default.is_none()
            && !(self.required || self.removes_empty || self.forgives)
    }
}

impl Guarded {
    /// The value without its options.
    pub fn value(&self) -> &Expr {
        &self.value
    }

    pub(super) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        self.value.each_path(then);
        self.options.when.iter().for_each(|when| when.each_path(then));
        self.options.default.iter().for_each(|default| default.each_path(then));
    }

    pub(super) fn may_remove(&self) -> bool {
        self.options.removes_empty || self.value.may_remove()
    }

    /// Whether `when` holds.
    pub(super) fn holds(&self, scope: &Scope<'_>) -> Result<bool, Held> {
        self.options.when.as_ref().map_or(Ok(true), |when| when.holds(scope))
    }

    /// What `value` gives, with the options applied to it.
    pub(super) fn give<'s>(
        &'s self,
        scope: &Scope<'s>,
        unmapped: Unmapped,
        value: impl FnOnce() -> Result<Evaluated<'s>, Held>,
    ) -> Result<Evaluated<'s>, Held> {
        let options = &self.options;
        let found = self.holds(scope).and_then(|holds| holds.then(value).transpose());
        let found = match found {
            Err(_) if options.forgives => Some(Evaluated::Absent),
            found => found?,
        };
        let when_holds = found.is_some();
        let found = found.unwrap_or(Evaluated::Absent);
        if !found.is_blank() {
            return Ok(found);
        }
        if let Some(default) = &options.default {
            return scope.note(
                || default.give(scope, unmapped),
                |found| What::Form { form: "default".into(), gave: Gave::of(found) },
            );
        }
        if options.required && when_holds {
            let detail = "a value is required, nothing or a blank was found";
            return Err(Held::new(HeldReason::Required, detail).at(&self.value.label()));
        }
        if options.removes_empty && found != Evaluated::Absent {
            return Ok(Evaluated::Remove);
        }
        Ok(found)
    }
}
