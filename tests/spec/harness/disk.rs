//! A disk of its own for the program: small, so that it can be filled; broken, when a test says so. It is mounted in a
//! namespace that ends with it, so that nothing else on the machine sees it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Ways into a namespace of mounts: as anybody where the system lets them, else as root.
const WAYS: &[&[&str]] = &[&["--user", "--map-root-user", "--mount"], &["--mount"]];

/// The disk.
pub(crate) struct Disk {
    /// Keeps the namespace.
    holder: Child,
    /// What `nsenter` has to enter.
    spaces: &'static [&'static str],
    point: PathBuf,
    image: Option<PathBuf>,
    _folder: tempfile::TempDir,
}

impl Disk {
    /// A disk in memory; nothing where no namespaces are allowed here.
    pub(crate) fn in_memory(mebibytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let point = folder.path().join("disk");
        std::fs::create_dir(&point).unwrap();
        let mount = format!("mount -t tmpfs -o size={mebibytes}m tmpfs '{}'", point.display());
        let (holder, way) =
            WAYS.iter().find_map(|way| hold(way, &mount).map(|holder| (holder, *way)))?;
        let spaces: &[&str] = if way.len() == 1 {
            &["--mount"]
        } else {
            &["--user", "--preserve-credentials", "--mount"]
        };
        Some(Self { holder, spaces, point, image: None, _folder: folder })
    }

    /// A disk with a real file system on a file, which is read only from the first error on; nothing where this is
    /// not the machine's root, or where the machine has none to give.
    pub(crate) fn that_can_break(mebibytes: u64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (point, image) = (folder.path().join("disk"), folder.path().join("image"));
        std::fs::create_dir(&point).unwrap();
        std::fs::File::create(&image).and_then(|file| file.set_len(mebibytes << 20)).unwrap();
        let made = Command::new("mkfs.ext4").arg("-q").arg(&image).status();
        made.is_ok_and(|made| made.success()).then_some(())?;
        let holder = hold(&["--mount"], &mount_image(&image, &point))?;
        let disk =
            Self { holder, spaces: &["--mount"], point, image: Some(image), _folder: folder };
        disk.run(&format!("[ -w {} ]", disk.trigger())).then_some(disk)
    }

    /// The same place for the test.
    pub(crate) fn seen(&self) -> PathBuf {
        let inside = self.point.strip_prefix("/").unwrap();
        Path::new(&format!("/proc/{}/root", self.holder.id())).join(inside)
    }

    /// A command that sees the disk and runs in its folder.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .env_clear()
            .arg(format!("--target={}", self.holder.id()))
            .args(self.spaces)
            .args(["--", "sh", "-c", "cd \"$0\" && exec \"$@\""])
            .args([&self.point, Path::new(program)]);
        command
    }

    /// Runs a line of shell beside the program; whether it worked.
    pub(crate) fn run(&self, line: &str) -> bool {
        self.command("sh").args(["-c", line]).stderr(Stdio::null()).status().unwrap().success()
    }

    /// Leaves no byte free.
    pub(crate) fn fill(&self) {
        let mut file = std::fs::File::create(self.seen().join("filler")).unwrap();
        let piece = vec![1; 1 << 16];
        for piece in [&piece[..], &piece[..4096], &piece[..1]] {
            while std::io::Write::write_all(&mut file, piece).is_ok() {}
        }
    }

    /// Gives it back what [`fill`](Self::fill) took.
    pub(crate) fn make_room(&self) {
        std::fs::remove_file(self.seen().join("filler")).unwrap();
    }

    /// May be read from now on, and not be written, also by those who have files open.
    pub(crate) fn break_down(&self) {
        assert!(self.run(&format!("sync && echo broken > {}", self.trigger())));
    }

    /// Changes how it is mounted.
    pub(crate) fn remount(&self, options: &str) {
        assert!(self.run(&format!("mount -o remount,{options} '{}'", self.point.display())));
    }

    /// Takes it out, has it checked and puts it in again. Nobody may have a file of it open.
    pub(crate) fn repair(&self) {
        let (image, point) = (self.image.as_ref().unwrap(), self.point.display());
        // 1 is "errors were corrected".
        let check = format!("{{ e2fsck -fy '{}' > /dev/null || [ $? -le 1 ]; }}", image.display());
        let mount = mount_image(image, &self.point);
        assert!(self.run(&format!("cd / && umount '{point}' && {check} && {mount}")));
    }

    /// A file of the kernel: whoever writes to it breaks the file system.
    fn trigger(&self) -> String {
        let device = format!("findmnt -n -o SOURCE '{}'", self.point.display());
        format!("/sys/fs/ext4/$(basename \"$({device})\")/trigger_fs_error")
    }
}

fn mount_image(image: &Path, point: &Path) -> String {
    format!("mount -o loop,errors=remount-ro '{}' '{}'", image.display(), point.display())
}

/// A process in a namespace of its own in which this was mounted, if it could be.
fn hold(way: &[&str], mount: &str) -> Option<Child> {
    let mut holder = Command::new("unshare")
        .args(way)
        .args(["sh", "-c", &format!("{mount} && echo mounted && exec cat")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut said = String::new();
    let read = BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said);
    if read.is_ok() && said == "mounted\n" {
        return Some(holder);
    }
    drop(holder.kill());
    drop(holder.wait());
    None
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.holder.kill());
        drop(self.holder.wait());
    }
}
