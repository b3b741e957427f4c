//! Which cores a process runs on, and how politely: for measuring one program beside another.
#![allow(unsafe_code)]

use std::fs;
use std::io;

/// Cores that a mask can name.
const CORES_MAX: usize = libc::CPU_SETSIZE as usize;

/// Keeps all threads of this process on these cores, those that are started later included where
/// a thread that is already there starts them.
pub fn pin_self(cores: &[usize]) -> io::Result<()> {
    pin(std::process::id(), cores)
}

/// Keeps all threads of a process on these cores. Fails where it is not ours, or a core not there.
pub fn pin(process: u32, cores: &[usize]) -> io::Result<()> {
    // SAFETY: a mask is plain bits, for which zero is a value; CPU_SET writes inside it, for the
    // number is below its size.
    let mask = unsafe {
        let mut mask: libc::cpu_set_t = std::mem::zeroed();
        for core in cores {
            if *core >= CORES_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("core {core}")));
            }
            libc::CPU_SET(*core, &mut mask);
        }
        mask
    };
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let Some(number) = thread?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // SAFETY: `mask` outlives the call, with its own size.
        let done = unsafe { libc::sched_setaffinity(number, size_of_val(&mask), &mask) };
        if done != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// The calling thread runs when nobody else on its core wants to.
pub fn go_last() -> io::Result<()> {
    // SAFETY: takes plain numbers; on Linux 0 is the calling thread.
    if unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Sleeps of the calling thread end when they are due: within a microsecond, where 50 are usual.
pub fn wake_sharply() {
    // SAFETY: takes plain numbers.
    unsafe {
        libc::prctl(libc::PR_SET_TIMERSLACK, 1_000 as libc::c_ulong);
    }
}

/// Clock ticks a second, in which `/proc/PID/stat` counts.
pub fn ticks_per_second() -> u64 {
    // SAFETY: takes a plain number.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).ok().filter(|ticks| *ticks > 0).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_may_be_kept_on_a_core_that_it_runs_on_already_and_on_none_that_is_not_there() {
        let allowed = fs::read_to_string("/proc/self/status").unwrap();
        let list = allowed.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
        let ends =
            |part: &str| part.split('-').map(|end| end.trim().parse().unwrap()).collect::<Vec<usize>>();
        let all: Vec<usize> = list
            .split(',')
            .flat_map(|part| {
                let ends = ends(part);
                ends[0]..=ends[ends.len() - 1]
            })
            .collect();
        pin_self(&all).unwrap();
        assert!(pin_self(&[CORES_MAX]).is_err());
        assert!(pin_self(&[CORES_MAX - 1]).is_err(), "no machine of ours is so large");
        assert!(ticks_per_second() >= 1);
    }
}
