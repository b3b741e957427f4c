//! A thread that gives way to all others.
#![allow(unsafe_code)]

/// Least pressing of all.
const NICENESS: libc::c_int = 19;
/// `ioprio_set(2)`: of one thread, the class of those that get the disk when nobody else wants it.
const IOPRIO_WHO_PROCESS: libc::c_int = 1;
const IOPRIO_IDLE: libc::c_int = 3 << 13;

/// Has the calling thread take processor and disk only where nobody else wants them. Where the kernel
/// says no, it goes on as it was.
pub fn give_way() {
    // SAFETY: both calls take plain numbers and touch no memory of ours; 0 is the calling thread.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS);
        libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
    }
}
