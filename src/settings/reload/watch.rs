//! When to look at the mappings folder again: the kernel says so where it can, and every so often in any case.
//!
//! The folder is watched, not its files: that sees Kubernetes put another `..data` link in place, and editors that
//! write a new file and rename it. What the kernel does not tell (another machine wrote, a link leads elsewhere)
//! is found by looking.

use std::path::Path;
use std::time::{Duration, Instant};

use tracing::debug;

/// How often to look without being told.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Who is told waits this long for what belongs to it.
const GATHER: Duration = Duration::from_millis(50);

/// The kernel's word that something changed in a folder.
pub(super) struct Watch(Option<kernel::Notices>);

impl Watch {
    /// Watches a folder, or does not where that cannot be.
    pub(super) fn of(folder: &Path) -> Self {
        let notices = kernel::Notices::open()
            .and_then(|notices| notices.add(folder).map(|()| notices))
            .inspect_err(
                |error| debug!(%error, "the mappings folder cannot be watched, only looked at"),
            );
        Self(notices.ok())
    }

    /// Returns once something changed; never where nobody says so.
    pub(super) async fn changed(&self) {
        match &self.0 {
            Some(notices) => {
                notices.wait().await;
                tokio::time::sleep(GATHER).await;
                notices.forget();
            }
            None => std::future::pending().await,
        }
    }

    /// Watches the folder that has the name now; the one before may have been replaced.
    pub(super) fn renew(&mut self, folder: &Path) {
        match &self.0 {
            // It is nothing new where it is the same folder still.
            Some(notices) => drop(notices.add(folder)),
            None => *self = Self::of(folder),
        }
    }
}

/// Takes news only once it has stayed the same for a while: what is being written is not read half.
pub(super) struct Settling<T>(Option<(T, Instant)>);

impl<T: PartialEq> Settling<T> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Whether news has been the same for as long as `quiet`; if so it is not waited for any more.
    pub(super) fn settles(&mut self, news: T, quiet: Duration, now: Instant) -> bool {
        match &self.0 {
            Some((last, since)) if *last == news => {
                let settled = now.saturating_duration_since(*since) >= quiet;
                if settled {
                    self.0 = None;
                }
                settled
            }
            _ => {
                self.0 = Some((news, now));
                false
            }
        }
    }

    /// There is no news; whether there was some that passed.
    pub(super) fn nothing(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// Whether news is waited for.
    pub(super) const fn waits(&self) -> bool {
        self.0.is_some()
    }
}

#[cfg(target_os = "linux")]
mod kernel {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
    use tokio::io::unix::AsyncFd;

    /// inotify(7). What it says is not read: the folder is.
    pub(super) struct Notices(AsyncFd<OwnedFd>);

    impl Notices {
        #[expect(
            deprecated,
            reason = "it is unsound for what changes its descriptor, which an `OwnedFd` never does; what replaces it is unsafe code"
        )]
        pub(super) fn open() -> io::Result<Self> {
            let notices = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
            Ok(Self(AsyncFd::new(notices)?))
        }

        pub(super) fn add(&self, folder: &Path) -> io::Result<()> {
            let told = WatchFlags::CREATE
                | WatchFlags::DELETE
                | WatchFlags::MOVE
                | WatchFlags::CLOSE_WRITE
                | WatchFlags::ATTRIB
                | WatchFlags::DELETE_SELF
                | WatchFlags::MOVE_SELF
                | WatchFlags::ONLYDIR;
            inotify::add_watch(&self.0, folder, told)?;
            Ok(())
        }

        pub(super) async fn wait(&self) {
            loop {
                let Ok(mut ready) = self.0.readable().await else {
                    return std::future::pending().await;
                };
                let read = ready.try_io(|notices| {
                    rustix::io::read(notices, &mut [0_u8; 4096]).map_err(io::Error::from)
                });
                match read {
                    Ok(Ok(_)) => return,
                    // A descriptor that cannot be read would be ready for ever.
                    Ok(Err(_)) => return std::future::pending().await,
                    Err(_) => {}
                }
            }
        }

        pub(super) fn forget(&self) {
            while rustix::io::read(&self.0, &mut [0_u8; 4096]).is_ok_and(|bytes| bytes > 0) {}
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use std::io;
    use std::path::Path;

    /// Nobody says anything here.
    pub(super) struct Notices;

    impl Notices {
        pub(super) fn open() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) fn add(&self, _: &Path) -> io::Result<()> {
            Ok(())
        }

        pub(super) async fn wait(&self) {
            std::future::pending().await
        }

        pub(super) fn forget(&self) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_counts_once_it_stays_the_same() {
        let begun = Instant::now();
        let quiet = Duration::from_millis(100);
        let mut settling = Settling::new();
        for (after, news, settles) in [
            (0, "half", false),
            (50, "whole", false),
            (100, "whole", false),
            (150, "whole", true),
            (160, "whole", false),
            (300, "whole", true),
        ] {
            let now = begun + Duration::from_millis(after);
            assert_eq!(settling.settles(news, quiet, now), settles, "after {after} ms");
        }
        assert!(!settling.waits() && !settling.nothing());
    }

    #[tokio::test]
    async fn the_kernel_tells_of_what_happens_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let watch = Watch::of(folder.path());
        let change: [&dyn Fn(); 4] = [
            &|| std::fs::write(at("a.yaml"), "a").unwrap(),
            &|| std::fs::rename(at("a.yaml"), at("b.yaml")).unwrap(),
            &|| std::os::unix::fs::symlink("b.yaml", at("..data")).unwrap(),
            &|| std::fs::remove_file(at("b.yaml")).unwrap(),
        ];
        for change in change {
            change();

            let told = tokio::time::timeout(Duration::from_secs(20), watch.changed()).await;

            assert!(told.is_ok());
        }
    }
}
