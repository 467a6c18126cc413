//! A file that keeps some of the disk back: when the disk is full it is deleted, so that what was sent can be
//! recorded and what has come of age can go. While it is gone nothing new is taken.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};

/// How much it keeps back.
const SIZE: u64 = 16 << 20;

/// Whether there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The disk is too small for one, or cannot set room aside.
    None,
    Held,
    /// The disk was full.
    Given,
}

/// The file beside the store.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    state: State,
}

impl Reserve {
    /// That of the store at `path`, not made yet.
    pub(super) fn of(path: &Path) -> Self {
        let mut name = OsString::from(path);
        name.push(".reserve");
        Self { path: PathBuf::from(name), state: State::None }
    }

    /// Finds the one of the last time; whether there is one.
    pub(super) fn find(&mut self) -> bool {
        if self.is_there() {
            self.state = State::Held;
        }
        self.state == State::Held
    }

    /// Gives the room it kept to those who need it.
    pub(super) fn give(&mut self) {
        if self.state == State::Held {
            // A file that cannot be deleted is no help, and no reason to take anything new either.
            drop(std::fs::remove_file(&self.path));
            self.state = State::Given;
        }
    }

    /// Makes it where `free` bytes are enough for it: at first only on a disk that has plenty.
    pub(super) fn make(&mut self, free: u64) {
        let enough = match self.state {
            State::Held => return,
            State::None => 4 * SIZE,
            State::Given => 2 * SIZE,
        };
        if self.is_there() || (free >= enough && self.write().is_ok()) {
            self.state = State::Held;
        } else if self.state == State::None {
            drop(std::fs::remove_file(&self.path));
        }
    }

    fn is_there(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|file| file.len() >= SIZE)
    }

    fn write(&self) -> io::Result<()> {
        let file = File::create(&self.path)?;
        fallocate(&file, FallocateFlags::empty(), 0, SIZE)?;
        file.sync_all()
    }

    /// Whether the disk was full and has not enough room yet.
    pub(super) fn is_given(&self) -> bool {
        self.state == State::Given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_where_there_is_plenty_given_once_and_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut reserve = Reserve::of(&folder.path().join("bridge.db"));
        let file = folder.path().join("bridge.db.reserve");

        for (step, free, there, given) in [
            ("a small disk", SIZE * 3, false, false),
            ("plenty", SIZE * 4, true, false),
            ("given", 0, false, true),
            ("still full", SIZE, false, true),
            ("room again", SIZE * 2, true, false),
        ] {
            if step == "given" {
                reserve.give();
            } else {
                reserve.make(free);
            }
            assert_eq!((file.exists(), reserve.is_given()), (there, given), "{step}");
        }
        assert_eq!(std::fs::metadata(&file).unwrap().len(), SIZE);
    }
}
