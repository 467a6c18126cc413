//! How much the store may take: senders are told to come again before the disk is full.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::reserve::Reserve;
use super::statements;
use crate::store::settings::StoreSettings;
use crate::units::ByteSize;

/// How long what is known about the disk counts.
const LOOK_AGAIN: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 1000 });

/// The limits, and what is known about the room there is.
#[derive(Debug)]
pub(super) struct Room {
    max_waiting: u64,
    max_size: ByteSize,
    min_free: ByteSize,
    folder: PathBuf,
    free: Option<(Instant, u64)>,
    disk_full: Option<Instant>,
    /// Used bytes as they were last counted.
    used: u64,
    /// The same, when history was deleted last.
    marked: u64,
    reserve: Reserve,
}

/// Of what there is hardly any room: history goes before anything is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scarce {
    /// `store.max_size`.
    Size,
    /// The disk.
    Disk,
}

impl Scarce {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Size => "`store.max_size` is near",
            Self::Disk => "its disk is nearly full",
        }
    }
}

impl Room {
    pub(super) fn new(path: &Path, settings: &StoreSettings) -> Self {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self {
            max_waiting: settings.max_waiting,
            max_size: settings.max_size,
            min_free: settings.min_free,
            folder: folder.unwrap_or(Path::new(".")).to_owned(),
            free: None,
            disk_full: None,
            used: 0,
            marked: 0,
            reserve: Reserve::of(path),
        }
    }

    /// Notes that the disk was full: nothing new is tried for a second, and the reserve goes.
    pub(super) fn was_full(&mut self) {
        self.disk_full = Some(Instant::now());
        self.reserve.give();
    }

    /// The disk was full at the start: what the last process kept back goes. Whether there was anything.
    pub(super) fn give_way(&mut self) -> bool {
        let is_there = self.reserve.find();
        if is_there {
            self.was_full();
        }
        is_there
    }

    /// Whether history has to make room: from four fifths of the size on, and near the free disk to keep.
    pub(super) fn scarce(&mut self) -> Option<Scarce> {
        let near = self.min_free.0.saturating_add(self.min_free.0 / 4);
        if self.reserve.is_given() || self.was_just_full() || self.free_bytes() < near {
            return Some(Scarce::Disk);
        }
        (self.used >= self.max_size.0 / 5 * 4).then_some(Scarce::Size)
    }

    /// Counts anew what is used.
    pub(super) fn look(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.used = used_bytes(connection)?;
        Ok(())
    }

    /// Notes how much is used.
    pub(super) fn mark(&mut self) {
        self.marked = self.used;
    }

    /// Whether a hundredth of the size has been added since.
    pub(super) fn has_grown(&self) -> bool {
        self.used >= self.marked.saturating_add(self.max_size.0 / 100)
    }

    fn was_just_full(&self) -> bool {
        self.disk_full.is_some_and(|since| since.elapsed() < LOOK_AGAIN)
    }

    /// Why nothing more can be taken now, if so, however little it is.
    pub(super) fn refusal(&mut self, connection: &Connection) -> rusqlite::Result<Option<String>> {
        let free = self.free_bytes();
        if self.was_just_full() || self.reserve.is_given() {
            return Ok(Some("the disk is full: make room on it, or move the store".to_owned()));
        }
        self.look(connection)?;
        let used = self.used;
        if used >= self.max_size.0 {
            let limit = self.max_size;
            return Ok(Some(format!("it takes {used} bytes, `store.max_size` is `{limit}`")));
        }
        if free < self.min_free.0 {
            let limit = self.min_free;
            return Ok(Some(format!(
                "{free} bytes of its disk are free, `store.min_free` is `{limit}`"
            )));
        }
        Ok(None)
    }

    /// Why `more` updates cannot wait beside the `open` ones, if so.
    pub(super) fn refusal_of(&self, open: i64, more: usize) -> Option<String> {
        let sum = u64::try_from(open).unwrap_or(0).saturating_add(more as u64);
        (more > 0 && sum > self.max_waiting)
            .then(|| format!("{open} updates wait, `store.max_waiting` is {}", self.max_waiting))
    }

    /// How much of the disk is free; looked up once a second.
    pub(super) fn free_bytes(&mut self) -> u64 {
        match self.free {
            Some((at, free)) if at.elapsed() < LOOK_AGAIN => free,
            _ => {
                // A disk that cannot be asked is one that the next commit will tell about.
                let free = rustix::fs::statvfs(&self.folder)
                    .map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
                self.free = Some((Instant::now(), free));
                self.reserve.make(free);
                free
            }
        }
    }
}

/// The size of the pages in use: what retention has freed is used again first.
pub(super) fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let (pages, free) = pages(connection)?;
    Ok(u64::from(pages.saturating_sub(free)).saturating_mul(PAGE_SIZE))
}

/// How many pages the file has, and how many of them are free.
pub(super) fn pages(connection: &Connection) -> rusqlite::Result<(u32, u32)> {
    let number = |sql| -> rusqlite::Result<u32> {
        connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
    };
    Ok((number(statements::PAGE_COUNT)?, number(statements::FREE_PAGES)?))
}

/// The size of a page, as the file is made with.
pub(super) const PAGE_SIZE: u64 = 4096;
