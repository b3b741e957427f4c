//! What signalling keeps in memory: an idle dialog, and what finished transactions leave for 64·T1.
//!
//! Prints bytes on the heap by an allocator that counts; nothing is timed.
#![allow(unsafe_code)] // An allocator is unsafe by its trait; this one hands everything on.

#[path = "line/mod.rs"]
mod line;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use line::Line;

/// Dialogs that are held at once.
const DIALOGS: usize = 4_000;
/// Calls in the 64·T1 that their transactions linger, at 1,000 calls a second.
const LINGERING: usize = 32_000;

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as our caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as our caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() {
    let mut line = Line::new();
    per_dialog("idle dialog, called by the carrier", &mut line, |line| {
        let (session, call) = line.call_in();
        line.answer(session, call);
    });
    let mut line = Line::new();
    per_dialog("idle dialog, calling the carrier", &mut line, |line| {
        line.call_out();
    });

    let mut line = Line::new();
    let before = HELD.load(Ordering::Relaxed);
    for _ in 0..LINGERING {
        line.round(); // A millisecond each.
    }
    let counts = line.endpoint.counts();
    let held = HELD.load(Ordering::Relaxed) - before;
    println!(
        "1,000 calls a second, answered and ended: {} finished transactions linger in {:.1} MiB, {} bytes each",
        counts.transactions,
        held as f64 / f64::from(1 << 20),
        held / counts.transactions
    );
}

/// Every transaction that only lingers is over.
fn expire(line: &mut Line) {
    line.now.mono += Duration::from_secs(40);
    line.endpoint.handle_timeout(line.now);
    line.drain("nothing");
}

/// What one dialog holds when its transactions are gone.
fn per_dialog(what: &str, line: &mut Line, mut call: impl FnMut(&mut Line)) {
    // What tables take for their places is not the dialogs'.
    for _ in 0..2 * DIALOGS {
        line.round();
    }
    expire(line);
    call(line);
    let before = HELD.load(Ordering::Relaxed);
    for _ in 0..DIALOGS {
        call(line);
    }
    let fresh = HELD.load(Ordering::Relaxed) - before;
    expire(line);
    let counts = line.endpoint.counts();
    assert_eq!((counts.dialogs, counts.transactions), (DIALOGS + 1, 0), "they stand, and nothing lingers");
    let idle = HELD.load(Ordering::Relaxed) - before;
    println!("{what}: {} bytes, {} with its transactions", idle / DIALOGS, fresh / DIALOGS);
}
