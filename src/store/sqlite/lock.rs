//! One process at a time: a lock beside the store that the system frees when its holder dies.
//!
//! The lock is on a file of its own: closing any descriptor of the store's own file would drop the locks that
//! SQLite holds on it.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::store::Error;

/// The lock, held as long as this lives.
#[derive(Debug)]
pub(super) struct LockFile {
    _locked: File,
}

impl LockFile {
    /// Takes the lock of the store at `path` and notes who holds it.
    pub(super) fn take(path: &Path) -> Result<Self, Error> {
        let beside = beside(path);
        let cannot = |error: &std::io::Error| {
            Error::Failed(format!(
                "`{}` cannot be written ({error}): the folder of the store must be writable",
                beside.display()
            ))
        };
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&beside)
            .map_err(|error| cannot(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let known = file.read_to_string(&mut owner).is_ok() && !owner.trim().is_empty();
                let owner = if known { owner.trim() } else { "one that has not said who it is" };
                return Err(Error::Held(format!("{owner} (`{}`)", beside.display())));
            }
            Err(TryLockError::Error(error)) => return Err(cannot(&error)),
        }
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "process {} on host {host}", std::process::id()))
            .map_err(|error| cannot(&error))?;
        Ok(Self { _locked: file })
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".lock");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_second_is_told_who_holds_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bridge.db");
        let first = LockFile::take(&path).unwrap();

        let error = LockFile::take(&path).unwrap_err();

        let me = format!("process {} on host ", std::process::id());
        assert!(matches!(&error, Error::Held(owner) if owner.contains(&me)), "{error}");
        drop(first);
        LockFile::take(&path).unwrap();
    }
}
