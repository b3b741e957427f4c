//! How an act's calls are closed: what was kept of each is waited for, judged beside the calls that go on, and shown in
//! the order of the calls.

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::cli::handset::say;
use crate::time::Instant;

/// The longest that what was kept of a call is waited for.
pub const BOOKS_MAX: Duration = Duration::from_secs(15);

/// How far a call's books are.
enum Books<V> {
    /// The call goes on, or is about to begin.
    Open,
    /// Waits for them until then.
    Closing(Instant),
    /// They are judged.
    Judged(JoinHandle<V>),
    /// All lines are there.
    Done,
}

/// What is to be done about a call's books.
pub enum Step<V> {
    /// Nothing yet, or any more.
    Wait,
    /// Look whether they are whole; where they are, or it is late, have them judged.
    Look {
        /// They are waited for no longer.
        late: bool,
    },
    /// It is judged. All lines are there when this one's are.
    Verdict(V),
}

/// The books of an act's calls, by their places.
pub struct Closings<V> {
    books: Vec<Books<V>>,
    /// The call that is shown, and how many of its lines were.
    shown: (usize, usize),
}

impl<V> Closings<V> {
    /// Of so many calls, all still to come.
    pub fn of(calls: usize) -> Self {
        Closings { books: (0..calls).map(|_| Books::Open).collect(), shown: (0, 0) }
    }

    /// Whether every call is judged.
    pub fn are_done(&self) -> bool {
        self.books.iter().all(|books| matches!(books, Books::Done))
    }

    /// Goes on with one call's.
    pub fn advance(&mut self, place: usize, is_over: bool, now: Instant) -> io::Result<Step<V>> {
        let books = &mut self.books[place];
        match books {
            Books::Open if is_over => *books = Books::Closing(now + BOOKS_MAX),
            Books::Closing(bound) => return Ok(Step::Look { late: now >= *bound }),
            Books::Judged(judge) if judge.is_finished() => {
                if let Books::Judged(judge) = std::mem::replace(books, Books::Done) {
                    let verdict = judge.join().map_err(|_| io::Error::other("the proof was broken off"))?;
                    return Ok(Step::Verdict(verdict));
                }
            }
            Books::Open | Books::Judged(_) | Books::Done => {}
        }
        Ok(Step::Wait)
    }

    /// One call's books are being judged.
    pub fn judged(&mut self, place: usize, judge: JoinHandle<V>) {
        self.books[place] = Books::Judged(judge);
    }

    /// Lines of the first call that is not at its end, as they come; of those before it, all.
    pub fn show<'a>(&mut self, lines: impl Fn(usize) -> &'a [String]) {
        while let Some(books) = self.books.get(self.shown.0) {
            let lines = lines(self.shown.0);
            lines[self.shown.1..].iter().for_each(|line| say(line));
            self.shown.1 = lines.len();
            if !matches!(books, Books::Done) {
                return;
            }
            self.shown = (self.shown.0 + 1, 0);
        }
    }
}
