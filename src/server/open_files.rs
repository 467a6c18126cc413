//! How many files and connections the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What everything but the connections of senders needs: the store, the log, the API, the other listeners.
const RESERVED: usize = 512;

/// Raises what the process may have open as far as it may be raised, and says how many connections fit into it.
pub(super) fn room_for(connections: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::debug!(%error, "the number of open files cannot be raised");
        }
    }
    let Some(files) = getrlimit(Resource::Nofile).current else { return connections };
    let room = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(RESERVED).max(1);
    if room < connections {
        tracing::warn!(
            max_connections = connections,
            room,
            "`server.max_connections` is more than the open files of the process allow, which count: raise `ulimit -n`"
        );
    }
    room.min(connections)
}
