//! How many warnings a job's row holds.

use schemas::cv::Warning;

/// Bytes of all warnings of a submission as JSON: what comes later has room beside them.
pub(super) const SUBMITTED: usize = 12 << 10;
/// Bytes of all warnings as JSON: with the line that counts the rest they fit one column, 32 Ki UTF-16
/// units.
pub(super) const ALL: usize = 30 << 10;

/// The first warnings that fit so many bytes, and in place of the rest one that says how many they are.
pub(super) fn bounded(mut warnings: Vec<Warning>, mut left: usize) -> Vec<Warning> {
    let fits = warnings.iter().take_while(|warning| {
        let size = serde_json::to_string(warning).map_or(usize::MAX, |json| json.len() + 1);
        left.checked_sub(size)
            .inspect(|less| left = *less)
            .is_some()
    });
    let fits = fits.count();
    let more = warnings.len() - fits;
    if more > 0 {
        warnings.truncate(fits);
        warnings.push(Warning::new(
            "",
            "more",
            format!("and {more} more warnings"),
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_cut_to_what_a_row_holds() {
        let check = |count: usize, size: usize, kept: usize, last: &str| {
            let warning = Warning::new("profile", "too_long", "x".repeat(size));
            let warnings = bounded(vec![warning; count], SUBMITTED);
            assert_eq!(warnings.len(), kept, "{count} of {size}");
            assert_eq!(warnings.last().map_or("", |w| w.code.as_str()), last);
            let json = serde_json::to_string(&warnings).unwrap();
            assert!(json.len() < SUBMITTED + 1024, "{}", json.len());
        };
        check(0, 10, 0, "");
        check(5, 100, 5, "too_long");
        check(202, 200, 50, "more");
        check(1, 20_000, 1, "more");
    }
}
