//! What goes wrong with one of many: the others are looked after all the same. A round over all
//! tenants says at its end that it was not all well; a list leaves out what it cannot read.

use std::error::Error;
use std::fmt::Display;

use schemas::Tenant;

use crate::jobs::{NewerRow, UnreadableRow};
use crate::port::{Result, StorageError};

/// The field `event` of the log line for each thing that was passed over.
pub const PASSED_OVER: &str = "round.passed_over";

/// The field `event` of the log line for each row that a list left out.
pub const ROW_PASSED_OVER: &str = "row.passed_over";

/// What a round passed over.
#[derive(Debug, Default)]
pub struct Troubles {
    first: Option<StorageError>,
    may_pass: bool,
}

impl Troubles {
    /// Passes over something of a tenant, such as `its jobs`.
    pub fn pass_over(&mut self, tenant: &Tenant, what: impl Display, error: StorageError) {
        tracing::warn!(
            event = PASSED_OVER,
            %tenant,
            %what,
            error = &error as &dyn Error,
            "{what} of tenant {tenant} passed over"
        );
        self.may_pass |= !concerns_one_row(&error);
        self.first.get_or_insert(error);
    }

    /// The same with what was done for one row: an error that concerns more than that row comes
    /// back, since there is no use in going on. A row of a newer version is no trouble.
    pub fn pass_over_row(
        &mut self,
        tenant: &Tenant,
        what: impl Display,
        error: StorageError,
    ) -> Result<()> {
        if is_newer(&error) {
            return Ok(());
        }
        if !concerns_one_row(&error) {
            return Err(error);
        }
        self.pass_over(tenant, what, error);
        Ok(())
    }

    /// Whether it may help to try again soon: a row that cannot be read stays as it is.
    pub fn may_pass(&self) -> bool {
        self.may_pass
    }

    /// The first error, if there was one.
    pub fn end(self) -> Result<()> {
        self.first.map_or(Ok(()), Err)
    }
}

/// Leaves a row out of a list, if the error concerns that row alone: the log gets its key, and
/// nothing of what stands in it.
pub(crate) fn pass_over_row(tenant: &Tenant, row: &str, error: StorageError) -> Result<()> {
    if !concerns_one_row(&error) {
        return Err(error);
    }
    tracing::warn!(
        event = ROW_PASSED_OVER,
        %tenant,
        row,
        error = &error as &dyn Error,
        "row {row} of tenant {tenant} passed over"
    );
    Ok(())
}

/// What was to be read is of a newer version, which is to look after it.
pub fn is_newer(error: &StorageError) -> bool {
    NewerRow::of(error).is_some() || matches!(UnreadableRow::of(error), Some(UnreadableRow::Newer))
}

/// What was to be read is not what any version writes: it cannot be read now or later.
pub fn is_damaged(error: &StorageError) -> bool {
    matches!(UnreadableRow::of(error), Some(UnreadableRow::Damaged(_)))
}

/// Whether an error is of one row alone: it cannot be read, or what was to be done with it was
/// refused. Other rows may well go.
pub fn concerns_one_row(error: &StorageError) -> bool {
    error.is_refusal() || is_newer(error) || UnreadableRow::of(error).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_cannot_be_read_is_no_trouble_of_storage() {
        let tenant = Tenant::anonymous();
        let check = |error: StorageError, is_passed: bool, may_pass: bool| {
            let mut troubles = Troubles::default();
            let text = format!("{error:?}");
            let passed = troubles.pass_over_row(&tenant, "a row", error);
            assert_eq!(passed.is_ok(), is_passed, "{text}");
            if let Err(error) = passed {
                troubles.pass_over(&tenant, "the rest", error);
            }
            assert_eq!(troubles.may_pass(), may_pass, "{text}");
            troubles.end().is_err()
        };
        let damaged = || StorageError::unavailable(UnreadableRow::Damaged(String::new()));
        assert!(check(damaged(), true, false));
        assert!(check(StorageError::Invalid(String::new()), true, false));
        assert!(check(StorageError::unavailable("no answer"), false, true));
        let throttled = StorageError::Throttled { retry_after: None };
        assert!(check(throttled, false, true));
        // Left to whoever knows it.
        let newer = StorageError::unavailable(UnreadableRow::Newer);
        assert!(!check(newer, true, false));
    }
}
