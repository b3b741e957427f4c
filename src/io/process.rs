//! What this process has taken of the machine, as the kernel says (proc(5)); and to whom its files are.
#![allow(unsafe_code)]

use std::fs;
use std::time::Duration;

/// From now on files and directories that this process makes are for its user alone (umask(2)): records, recordings
/// and secrets are about people.
pub fn keep_to_owner() {
    // SAFETY: takes and gives back a plain number, and cannot fail.
    unsafe { libc::umask(0o077) };
}

/// User and system time of all threads, and resident memory in bytes. `None` where /proc is not there.
pub fn taken() -> Option<(Duration, u64)> {
    Some((
        cpu(&fs::read_to_string("/proc/self/stat").ok()?)?,
        resident(&fs::read_to_string("/proc/self/status").ok()?)?,
    ))
}

/// utime and stime: in the ticks of user space, of which Linux counts 100 a second everywhere.
fn cpu(stat: &str) -> Option<Duration> {
    // The name in brackets may hold blanks and brackets.
    let fields: Vec<&str> = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks(11)? + ticks(12)?)))
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read_whatever_the_process_is_called() {
        let stat = "77 (a b) c) S 1 77 77 0 -1 4194560 9 0 0 0 1234 66 5 6 20 0 9 0 100 1 2";
        assert_eq!(cpu(stat), Some(Duration::from_secs(13)));
        assert_eq!(cpu("77 (cut"), None);
        assert_eq!(resident("Name:\tx\nVmRSS:\t    2048 kB\n"), Some(2_097_152));
        assert_eq!(resident("VmHWM:\t 1 kB\n"), None);
    }

    #[test]
    fn a_process_has_memory_and_its_time_grows() {
        let (begun, memory) = taken().unwrap();
        assert!(memory > 100_000);
        let mut sum = 0_u64;
        while taken().unwrap().0 == begun {
            sum = sum.wrapping_add((0..10_000).sum::<u64>());
        }
        assert!(sum > 0);
    }
}
