//! How many files the process may have open: every connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files besides connections: the store's, its connections to the cloud, logs, fonts.
const OWN: usize = 256;

/// How many of the connections that are wanted there can be. Raises the soft limit of open files as
/// far as the hard limit lets it, and warns where that is not enough.
pub(crate) fn connections(wanted: usize) -> usize {
    let needed = wanted.saturating_add(OWN);
    let limit = getrlimit(Resource::Nofile);
    let goal = (needed as u64).min(limit.maximum.unwrap_or(u64::MAX));
    if limit.current.is_some_and(|current| current < goal) {
        let raised = Rlimit {
            current: Some(goal),
            maximum: limit.maximum,
        };
        // Where it fails the limit is as it was, and that is what counts below.
        let _ = setrlimit(Resource::Nofile, raised);
    }
    let current = getrlimit(Resource::Nofile).current;
    let most = possible(wanted, current);
    if most < wanted {
        let files = current.unwrap_or(u64::MAX);
        tracing::warn!(
            open_files_limit = files,
            max_connections = most,
            "this process may open {files} files, so it takes {most} connections at once and not \
             {wanted}: raise the limit (ulimit -n {needed}, LimitNOFILE={needed}), or lower \
             http.max_connections"
        );
    }
    most
}

fn possible(wanted: usize, files: Option<u64>) -> usize {
    let files = files.map_or(usize::MAX, |files| {
        usize::try_from(files).unwrap_or(usize::MAX)
    });
    // With very few files half of them are better than none.
    let room = files.saturating_sub(OWN).max(files / 2);
    wanted.min(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_rest() {
        let check = |wanted: usize, files: Option<u64>, want: usize| {
            assert_eq!(possible(wanted, files), want, "{wanted} of {files:?}");
        };
        check(20_000, None, 20_000);
        check(20_000, Some(1_048_576), 20_000);
        check(20_000, Some(1_024), 768);
        check(100, Some(1_024), 100);
        check(100, Some(64), 32);
    }
}
