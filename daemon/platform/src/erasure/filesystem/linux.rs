//! `statfs(2)`, what the kernel says of the block device, and who has a file open.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
};

use crate::erasure::Medium;

pub(super) fn medium(file: &File) -> Medium {
    let Ok(found) = rustix::fs::fstatfs(file) else { return Medium::Unknown };
    // The magic numbers of statfs(2); the type of the field differs between machines.
    let magic = u64::try_from(found.f_type).unwrap_or_default() & 0xffff_ffff;
    of_type(magic).unwrap_or_else(|| on_device(file))
}

/// By the type of the file system; `None` if that writes in place, so that it depends on the device.
fn of_type(magic: u64) -> Option<Medium> {
    Some(match magic {
        0x0102_1994 | 0x8584_58f6 => Medium::Memory,
        0xef53 | 0x5846_5342 | 0x3153_464a => return None,
        0x9123_683e | 0x2fc1_2fc1 | 0xca45_1a4e | 0xf2f5_2010 | 0x3434 => Medium::CopyOnWrite,
        0x794c_7630 | 0x6573_5546 | 0xf15f => Medium::Layered,
        0x6969 | 0xff53_4d42 | 0xfe53_4d42 | 0x517b | 0x0102_1997 | 0x00c3_6400 => Medium::Network,
        _ => Medium::Unknown,
    })
}

fn on_device(file: &File) -> Medium {
    let Ok(device) = file.metadata().map(|found| found.dev()) else { return Medium::Unknown };
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let device = format!("/sys/dev/block/{major}:{minor}");
    // A partition has the queue of the disk above it.
    let said = ["queue/rotational", "../queue/rotational"]
        .iter()
        .find_map(|name| std::fs::read_to_string(format!("{device}/{name}")).ok());
    match said.as_deref().map(str::trim) {
        Some("1") => Medium::Disk,
        Some(_) => Medium::Flash,
        None => Medium::Unknown,
    }
}

/// A process in words.
pub(super) fn program(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let name = if name.trim().is_empty() { "a program" } else { name.trim() };
    format!("{name} (pid {pid})")
}

/// The first other process of this user that has the file open; nobody may look into another user's.
pub(super) fn opened_by_another(file: &File) -> io::Result<Option<String>> {
    let wanted = file.metadata()?;
    let is_it = |path: std::path::PathBuf| {
        fs::metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == (wanted.dev(), wanted.ino()))
    };
    let own = std::process::id();
    for process in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // Gone meanwhile, or not for us to see.
        let Ok(mut descriptors) = fs::read_dir(process.path().join("fd")) else { continue };
        if pid != own && descriptors.any(|entry| entry.is_ok_and(|entry| is_it(entry.path()))) {
            return Ok(Some(program(pid)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of statfs(2) and of the file systems' own headers.
    #[test]
    fn what_a_file_system_does_with_old_blocks() {
        let table = [
            ("tmpfs", 0x0102_1994, Some(Medium::Memory)),
            ("ext4", 0xef53, None),
            ("xfs", 0x5846_5342, None),
            ("btrfs", 0x9123_683e, Some(Medium::CopyOnWrite)),
            ("zfs", 0x2fc1_2fc1, Some(Medium::CopyOnWrite)),
            ("bcachefs", 0xca45_1a4e, Some(Medium::CopyOnWrite)),
            ("f2fs", 0xf2f5_2010, Some(Medium::CopyOnWrite)),
            ("overlayfs", 0x794c_7630, Some(Medium::Layered)),
            ("ecryptfs", 0xf15f, Some(Medium::Layered)),
            ("fuse", 0x6573_5546, Some(Medium::Layered)),
            ("nfs", 0x6969, Some(Medium::Network)),
            ("cifs", 0xff53_4d42, Some(Medium::Network)),
            ("9p", 0x0102_1997, Some(Medium::Network)),
            ("vfat", 0x4d44, Some(Medium::Unknown)),
        ];
        for (name, magic, expected) in table {
            assert_eq!(of_type(magic), expected, "{name}");
        }
    }
}
