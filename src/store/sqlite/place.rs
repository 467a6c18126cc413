//! Whether a store can be kept at a place: on a local disk, in a folder that is there.

use std::path::Path;

use crate::store::Error;

/// Finds what is wrong with the place before SQLite says it in its own words.
pub(super) fn place_for(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Err(Error::Failed("it is a folder: name a file".to_owned()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Error::Failed(format!(
            "there is no folder `{}`: make it, or name another in `store.url`",
            folder.display()
        )));
    }
    match network(folder.unwrap_or(Path::new("."))) {
        Some(system) => Err(Error::Failed(format!(
            "its file system is {system}, over a network, where neither locks nor what is written can be trusted: keep it on a local disk"
        ))),
        None => Ok(()),
    }
}

/// File systems that other machines serve, by the number `statfs` gives for them (`linux/magic.h`, `statfs(2)`).
const NETWORK: &[(u32, &str)] = &[
    (0x0000_6969, "NFS"),
    (0x0000_517b, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0x0000_564c, "NCP"),
    (0x0102_1997, "9P"),
    (0x5346_414f, "AFS"),
    (0x7375_7245, "Coda"),
    (0x00c3_6400, "Ceph"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0x786f_4256, "a folder of VirtualBox's host"),
    (0xbacb_acbc, "a folder of VMware's host"),
];

/// What `statfs` says of every file system that a program serves, local or not.
const FUSE: u32 = 0x6573_5546;

/// Those of them that are local.
const LOCAL_FUSE: &[&str] = &["fuseblk", "fuse.fuse-overlayfs", "fuse.lxcfs"];

/// The name of the network file system that a folder is on, if it is.
#[cfg(target_os = "linux")]
fn network(folder: &Path) -> Option<String> {
    let system = rustix::fs::statfs(folder).ok()?;
    // The number has 32 bits whatever the machine's word is.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "32 bits are meant"
    )]
    let number = system.f_type as u32;
    let kind = || kind_of(&folder.canonicalize().ok()?, &mounts()?);
    named(number, kind)
}

#[cfg(not(target_os = "linux"))]
fn network(_folder: &Path) -> Option<String> {
    None
}

fn named(number: u32, kind: impl FnOnce() -> Option<String>) -> Option<String> {
    if number == FUSE {
        let kind = kind().unwrap_or_else(|| "fuse".to_owned());
        return (!LOCAL_FUSE.contains(&kind.as_str())).then_some(kind);
    }
    NETWORK.iter().find(|(known, _)| *known == number).map(|(_, name)| (*name).to_owned())
}

#[cfg(target_os = "linux")]
fn mounts() -> Option<String> {
    std::fs::read_to_string("/proc/self/mountinfo").ok()
}

/// The type of the file system that a folder is on, by the lines of `/proc/self/mountinfo` (`proc(5)`): the longest
/// mount point above it, the last one of several.
fn kind_of(folder: &Path, mounts: &str) -> Option<String> {
    let mut found: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let (mount, system) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?.replace("\\040", " ");
        let kind = system.split(' ').next()?;
        let length = point.len();
        if folder.starts_with(&point) && found.is_none_or(|(longest, _)| length >= longest) {
            found = Some((length, kind));
        }
    }
    found.map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
40 22 0:41 / /srv/remote rw,nosuid shared:9 - fuse.sshfs me@host: rw,user_id=0
41 22 0:42 / /srv/my\\040disk rw shared:9 - fuseblk /dev/sdb1 rw
";

    #[test]
    fn a_store_over_a_network_is_refused_and_a_local_one_is_not() {
        for (number, folder, expected) in [
            (0xef53, "/var/lib", None),
            (0x0102_1994, "/dev/shm", None),
            (0x6969, "/mnt/nfs", Some("NFS")),
            (0xff53_4d42, "/mnt/share", Some("CIFS")),
            (0x0102_1997, "/mnt/host", Some("9P")),
            (FUSE, "/srv/remote/data", Some("fuse.sshfs")),
            (FUSE, "/srv/my disk/data", None),
            (FUSE, "/srv/remoter", Some("ext4")),
        ] {
            let found = named(number, || kind_of(Path::new(folder), MOUNTS));
            assert_eq!(found.as_deref(), expected, "{folder}");
        }
    }
}
