//! The data directory: its owner's alone, written by one engine at a time, and writable.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::StartError;

/// Held by the engine that writes here; in it, the engine's process id.
const LOCK: &str = "lock";
/// Made and removed at once: whether files can be made here.
const TRIAL: &str = "lock.trial";
/// Bits of a mode by which others than the owner come in.
const OTHERS: u32 = 0o077;

/// The right to write in a data directory. The kernel takes it back when the process dies, however it dies.
pub(super) struct Premises {
    _lock: File,
}

impl Premises {
    /// Makes the directory, where it is not there, for its owner alone, and takes it. Nothing in it has been
    /// touched when this fails: a second engine must not close the calls of the first.
    pub(super) fn enter(data: &Path) -> Result<Self, StartError> {
        let unwritable = |error: io::Error| {
            let (name, place) = (data.display(), data.parent().filter(|_| !data.exists()).unwrap_or(data));
            let place = place.display();
            StartError::Outside {
                what: "data",
                why: format!(
                    "数据目录 {name} 写不进去: {error}\n\
                     请让运行引擎的用户能写 {place}（chown、磁盘空间、只读挂载），或用 --data 另指一个目录\n\
                     the data directory {name} cannot be written to: {error}\n\
                     let the engine's user write to {place} (chown; space on the disk; a read-only mount), \
                     or name another with --data"
                ),
            }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(unwritable)?;
        let path = data.join(LOCK);
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut lock = opened.map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(data, &mut lock)),
            Err(TryLockError::Error(error)) => return Err(unwritable(error)),
        }
        sign(&mut lock).and_then(|()| try_out(data)).map_err(unwritable)?;
        Ok(Premises { _lock: lock })
    }
}

fn taken(data: &Path, lock: &mut File) -> StartError {
    let (name, mut holder) = (data.display(), String::new());
    // Whoever has just taken it may not have signed yet.
    let _ = lock.read_to_string(&mut holder);
    let holder = if holder.trim().is_empty() { "?" } else { holder.trim() };
    StartError::Outside {
        what: "data",
        why: format!(
            "数据目录 {name} 正由另一个引擎使用（进程号 {holder}）\n\
             先停止它，或用 --data 另指一个目录；它的通话不受影响\n\
             the data directory {name} is in use by another engine (process id {holder})\n\
             stop that one first, or name another directory with --data; its calls go on"
        ),
    }
}

fn sign(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}

fn try_out(data: &Path) -> io::Result<()> {
    let trial = data.join(TRIAL);
    // One that a power cut has left is in nobody's way.
    File::create(&trial)?;
    fs::remove_file(trial)
}

/// Warns where others than its owner can read what `path` is.
pub(super) fn warn_if_open(path: &Path) {
    let Ok(metadata) = fs::metadata(path) else { return };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & OTHERS != 0 {
        let (name, kept) = (path.display(), if metadata.is_dir() { "700" } else { "600" });
        tracing::warn!(
            mode = format!("{mode:o}"),
            "{name} 其他用户也能读：chmod {kept} {name} / other users can read {name}: chmod {kept} {name}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> std::path::PathBuf {
        let directory = std::env::temp_dir().join(format!("hotline-premises-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        directory
    }

    #[test]
    fn one_engine_at_a_time_and_the_second_is_told_who_has_it() {
        let data = scratch("taken").join("data");
        let first = Premises::enter(&data).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data), mode(&data.join(LOCK))), (0o700, 0o600));
        let refused = Premises::enter(&data).map(drop).unwrap_err().to_string();
        let [name, process] = [data.display().to_string(), format!("process id {}", std::process::id())];
        assert!(refused.contains(&name) && refused.contains(&process), "{refused}");
        drop(first);
        let again = Premises::enter(&data).unwrap();
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "the lock alone");
        drop(again);
        fs::remove_dir_all(data.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_made_or_written_is_named_in_both_languages() {
        let base = scratch("unwritable");
        fs::create_dir_all(&base).unwrap();
        fs::write(base.join("file"), "").unwrap();
        let data = base.join("file/data");
        let refused = Premises::enter(&data).map(drop).unwrap_err().to_string();
        for words in ["数据目录", "cannot be written to", "--data", "chown", &data.display().to_string()]
        {
            assert!(refused.contains(words), "{words}: {refused}");
        }
        let full = base.join("full");
        fs::create_dir_all(full.join(TRIAL)).unwrap();
        let refused = Premises::enter(&full).map(drop).unwrap_err().to_string();
        assert!(refused.contains(&full.display().to_string()), "{refused}");
        fs::remove_dir_all(base).unwrap();
    }
}
