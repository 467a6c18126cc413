//! A copy of the store before a step that takes something away from it: an older release cannot work on the store any
//! more after it, but on the copy.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::connection::failed;
use super::room::used_bytes;
use crate::store::Error;

/// Copies the store to `<its file>.before-<schema>`, and deletes the copies from before other steps: the last one is
/// kept. A store in memory has no file to copy.
///
/// # Errors
///
/// Says what the disk lacks, or why it could not be copied; then nothing was changed.
pub(super) fn before(connection: &Connection, schema: i64) -> Result<(), Error> {
    let Some(store) = connection.path().filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(());
    };
    let folder = folder_of(&store);
    let free = rustix::fs::statvfs(folder)
        .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))
        .map_err(|error| cannot(&store, &error.into()))?;
    copy(connection, &store, schema, free)
}

fn copy(connection: &Connection, store: &Path, schema: i64, free: u64) -> Result<(), Error> {
    let kept = beside(store, schema);
    let used = used_bytes(connection).map_err(|error| failed(&error))?;
    // The step itself may write everything once more.
    let needed = used.saturating_mul(2);
    if free < needed {
        return Err(Error::Failed(format!(
            "before schema {schema} it is copied to `{}`, for which {needed} bytes of its disk have to be free, and {free} are: make room, or run the release before",
            kept.display()
        )));
    }
    let part = with_suffix(&kept, ".part");
    let made = make(connection, store, &part, &kept);
    if let Err(error) = made {
        drop(std::fs::remove_file(&part));
        return Err(error);
    }
    tracing::warn!(
        schema,
        copy = %kept.display(),
        "the store was copied: the releases that cannot work on it from now on can work on the copy"
    );
    forget_others(store, &kept);
    Ok(())
}

fn make(connection: &Connection, store: &Path, part: &Path, kept: &Path) -> Result<(), Error> {
    let cannot = |error: io::Error| cannot(kept, &error);
    let mode = std::fs::metadata(store).map_err(cannot)?.permissions().mode();
    // Of an attempt that was broken off; an empty file is what SQLite copies into.
    drop(std::fs::remove_file(part));
    File::options().write(true).create_new(true).mode(mode).open(part).map_err(cannot)?;
    let name = part.to_str().ok_or_else(|| {
        Error::Failed(format!("`{}` is no name that SQLite takes", part.display()))
    })?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| failed(&error))?;
    File::open(part).and_then(|file| file.sync_all()).map_err(cannot)?;
    std::fs::rename(part, kept).map_err(cannot)?;
    File::open(folder_of(kept)).and_then(|folder| folder.sync_all()).map_err(cannot)
}

/// What cannot be deleted takes room and does no other harm.
fn forget_others(store: &Path, kept: &Path) {
    let Some(name) = store.file_name() else { return };
    let Ok(entries) = std::fs::read_dir(folder_of(store)) else { return };
    for entry in entries.flatten() {
        if is_copy(&entry.file_name(), name) && Some(&*entry.file_name()) != kept.file_name() {
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

/// Whether this is the name of a copy of the store with that name.
fn is_copy(file: &OsStr, store: &OsStr) -> bool {
    let of = |name: &OsStr| name.to_string_lossy().into_owned();
    let (file, store) = (of(file), of(store));
    let schema = file.strip_prefix(&store).and_then(|rest| rest.strip_prefix(".before-"));
    schema.is_some_and(|schema| schema.parse::<u32>().is_ok())
}

fn beside(store: &Path, schema: i64) -> PathBuf {
    with_suffix(store, &format!(".before-{schema}"))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn cannot(path: &Path, error: &io::Error) -> Error {
    Error::Failed(format!("it cannot be copied to `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::schema::{Step, migrate, number};
    use super::*;

    const STEPS: [Step; 4] = [
        Step {
            schema: 1,
            readable_from: 1,
            sql: "CREATE TABLE meta(name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT;
                  CREATE TABLE thing(id INTEGER PRIMARY KEY, colour TEXT);
                  INSERT INTO thing VALUES (7, 'red');",
        },
        Step { schema: 2, readable_from: 1, sql: "ALTER TABLE thing ADD COLUMN size INTEGER;" },
        Step { schema: 3, readable_from: 2, sql: "ALTER TABLE thing DROP COLUMN colour;" },
        Step { schema: 4, readable_from: 4, sql: "ALTER TABLE thing DROP COLUMN size;" },
    ];

    fn opened(path: &Path, steps: &[Step]) -> Result<Connection, Error> {
        let mut connection = Connection::open(path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        migrate(&mut connection, steps).map(|()| connection)
    }

    fn files(folder: &Path) -> Vec<String> {
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.unwrap().file_name().into_string().unwrap()
        };
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(name).collect();
        names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
        names.sort();
        names
    }

    #[test]
    fn a_store_is_copied_before_a_step_that_takes_something_away_and_the_last_copy_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("bridge.db");
        std::fs::write(folder.path().join("bridge.db.before-noon"), "somebody's own").unwrap();
        let copy = |schema| format!("bridge.db.before-{schema}");

        for (upto, copied) in [(1, None), (2, None), (3, Some(3)), (4, Some(4))] {
            drop(opened(&store, &STEPS[..upto]).unwrap());
            let mut expected = vec!["bridge.db".to_owned()];
            expected.extend(copied.map(copy));
            expected.push("bridge.db.before-noon".to_owned());
            assert_eq!(files(folder.path()), expected, "schema {upto}");
        }

        // The release before works on the copy.
        let before = opened(&folder.path().join(copy(4)), &STEPS[..3]).unwrap();
        assert_eq!(number(&before, "schema").unwrap(), Some(3));
        let size: Option<i64> =
            before.query_row("SELECT size FROM thing WHERE id = 7", [], |row| row.get(0)).unwrap();
        assert_eq!(size, None);
    }

    #[test]
    fn of_several_steps_the_copy_is_of_the_store_before_all_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("bridge.db");
        drop(opened(&store, &STEPS[..1]).unwrap());

        drop(opened(&store, &STEPS).unwrap());

        assert_eq!(files(folder.path()), ["bridge.db", "bridge.db.before-3"]);
        let copy = Connection::open(folder.path().join("bridge.db.before-3")).unwrap();
        assert_eq!(number(&copy, "schema").unwrap(), Some(1));
    }

    #[test]
    fn without_room_for_a_copy_nothing_is_changed_and_what_is_needed_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bridge.db");
        let store = opened(&path, &STEPS[..2]).unwrap();
        let used = used_bytes(&store).unwrap();

        for (free, is_made) in [(used * 2 - 1, false), (used * 2, true)] {
            let made = copy(&store, &path, 3, free);

            assert_eq!(files(folder.path()).len(), 1 + usize::from(is_made), "{free}");
            if let Err(error) = made {
                let error = error.to_string();
                for words in ["bridge.db.before-3", &(used * 2).to_string(), "make room"] {
                    assert!(error.contains(words), "`{words}` is missing in: {error}");
                }
            }
        }
    }

    #[test]
    fn a_copy_that_cannot_be_made_stops_the_step() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("bridge.db");
        drop(opened(&store, &STEPS[..2]).unwrap());
        // Something is in the way.
        std::fs::create_dir_all(folder.path().join("bridge.db.before-3/kept")).unwrap();

        let error = opened(&store, &STEPS).unwrap_err().to_string();

        assert!(error.contains("bridge.db.before-3"), "{error}");
        assert_eq!(files(folder.path()), ["bridge.db", "bridge.db.before-3"]);
        let left = Connection::open(&store).unwrap();
        assert_eq!(number(&left, "schema").unwrap(), Some(2));
    }

    #[test]
    fn a_copy_can_be_read_by_whoever_may_read_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("bridge.db");
        drop(opened(&store, &STEPS[..2]).unwrap());
        std::fs::set_permissions(&store, std::fs::Permissions::from_mode(0o600)).unwrap();

        drop(opened(&store, &STEPS[..3]).unwrap());

        let copy = std::fs::metadata(folder.path().join("bridge.db.before-3")).unwrap();
        assert_eq!(copy.permissions().mode() & 0o777, 0o600);
    }
}
