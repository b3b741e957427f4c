//! A writer in a process of its own, killed from one instruction to the next.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant as SystemInstant};

use hotline::id::{CallId, Dice};
use hotline::io::store::{CallQuery, Opening, Report, close_crashed};
use hotline::switchboard::fact::{Cause, What};
use hotline::switchboard::port::StoreJob;
use hotline::tickets::event::EventRef;

use crate::archive::{Folder, answered, at, closed, event, fact, job, open, opened};

/// Tells the child where and with which seed.
const PLACE: &str = "HOTLINE_STORE_CHILD";
/// Batches on their way at once.
const UNDER_WAY: u64 = 64;
const PATIENCE: Duration = Duration::from_secs(60);

/// What the child says, one a line.
#[derive(Clone, Copy, Debug)]
pub enum Word {
    /// A batch is about to be given to the store: its token and the fact in it.
    Sent(u64, EventRef),
    /// The store has confirmed everything up to the token.
    Committed(u64),
    Failed,
}

impl Word {
    pub fn committed(&self) -> Option<u64> {
        match self {
            Word::Committed(token) => Some(*token),
            _ => None,
        }
    }

    fn parse(line: &str) -> Option<Word> {
        // The first one stands on the line that names the test.
        let mut words = line.rsplit_once("store ")?.1.split(' ');
        match (words.next()?, words.next(), words.next(), words.next()) {
            ("sent", Some(token), Some(call), Some(sequence)) => {
                let event = EventRef { call: CallId::parse(call)?, sequence: sequence.parse().ok()? };
                Some(Word::Sent(token.parse().ok()?, event))
            }
            ("committed", Some(token), ..) => Some(Word::Committed(token.parse().ok()?)),
            ("failed", ..) => Some(Word::Failed),
            _ => None,
        }
    }
}

fn say(line: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    // A parent that is gone hears nothing; its child is about to end.
    let _ = writeln!(out, "store {line}");
    let _ = out.flush();
}

/// Writes calls until `most` batches are confirmed: opened, answered, a key, and most of them closed.
fn write_calls(data: &Path, seed: u64, most: u64) {
    let mut dice = Dice::seeded(seed);
    let (tell, told) = channel();
    let opening = Opening::open(data, &["office".into(), "file".into()]).unwrap();
    let store = opening
        .start(move |report| match report {
            Report::Committed { token: Some(token), .. } => {
                say(format_args!("committed {token}"));
                let _ = tell.send(token);
            }
            Report::Failed { .. } => say(format_args!("failed")),
            _ => {}
        })
        .unwrap();
    let mut open: Vec<(CallId, u32)> = Vec::new();
    let mut confirmed = 0;
    for token in 1..=most {
        let fresh = open.len() < 20 || dice.below(4) == 0;
        let (call, sequence) = if fresh {
            (CallId::draw(1_630_458_000_000 + token, &mut dice), 1)
        } else {
            open.swap_remove(dice.below(open.len() as u64) as usize)
        };
        let fact = match sequence {
            1 => opened(call, seed % 1_000 * 100_000 + token),
            2 => answered(call, 2),
            3 => fact(call, 3, What::DigitPressed { digit: '7' }),
            _ => closed(call, sequence),
        };
        if sequence < 4 {
            open.push((call, sequence + 1));
        }
        say(format_args!("sent {token} {call} {sequence}"));
        store.submit(token, vec![job(fact)]);
        while token - confirmed >= UNDER_WAY {
            confirmed = told.recv().unwrap();
        }
    }
    assert_eq!(store.close(), 0, "everything was written");
}

/// As a process of its own it goes on until it is killed; as a test it writes a while and ends.
#[test]
fn a_writer_that_is_left_alone_ends_with_everything_on_disk() {
    if let Ok(place) = std::env::var(PLACE) {
        let (seed, data) = place.split_once(' ').unwrap();
        write_calls(Path::new(data), seed.parse().unwrap(), u64::MAX);
        return;
    }
    let folder = Folder::new("alone");
    write_calls(folder.path(), 5, 500);
    let owed = folder.reader().owed("file", None, 1_000).unwrap();
    assert_eq!(owed.len(), 500);
}

/// The writer's process and all that it has said.
pub struct Child {
    process: process::Child,
    lines: Receiver<String>,
    words: Vec<Word>,
}

impl Child {
    pub fn spawn(folder: &Folder, seed: u64) -> Child {
        // A file that may not grow is to be an error, as on a full disk, and not a signal.
        let mut process = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "killed::a_writer_that_is_left_alone_ends_with_everything_on_disk"])
            .args(["--nocapture", "--test-threads", "1"])
            .env(PLACE, format!("{seed} {}", folder.path().display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (tell, lines) = channel();
        let said = BufReader::new(process.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        Child { process, lines, words: Vec::new() }
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Listens up to the first word for which `done` holds; what was said meanwhile.
    pub fn until(&mut self, mut done: impl FnMut(&Word) -> bool) -> Vec<Word> {
        let deadline = SystemInstant::now() + PATIENCE;
        let heard = self.words.len();
        loop {
            let left = deadline.saturating_duration_since(SystemInstant::now());
            let line = self.lines.recv_timeout(left).expect("the child goes on");
            let Some(word) = Word::parse(&line) else { continue };
            self.words.push(word);
            if done(&word) {
                return self.words[heard..].to_vec();
            }
        }
    }

    /// Kill -9; what was said before is heard to the end.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        while let Ok(line) = self.lines.recv() {
            self.words.extend(Word::parse(&line));
        }
    }

    /// What the store had confirmed, by call in order.
    fn confirmed(&self) -> BTreeMap<CallId, Vec<u32>> {
        let last = self.words.iter().filter_map(Word::committed).max().unwrap_or(0);
        let mut confirmed: BTreeMap<CallId, Vec<u32>> = BTreeMap::new();
        for word in &self.words {
            if let Word::Sent(token, event) = word
                && *token <= last
            {
                confirmed.entry(event.call).or_default().push(event.sequence);
            }
        }
        confirmed
    }

    pub fn assert_all_confirmed_are_there_once(&self, folder: &Folder) {
        // Whoever opens the file next replays its log.
        drop(open(folder, &["office", "file"]));
        let reader = folder.reader();
        let confirmed = self.confirmed();
        assert!(!confirmed.is_empty(), "the child was killed before anything was confirmed");
        let mut owed: HashMap<&str, HashSet<EventRef>> = HashMap::new();
        for sink in ["office", "file"] {
            let events = reader.owed(sink, None, usize::MAX).unwrap();
            let names: HashSet<EventRef> = events.iter().map(|event| event.event).collect();
            assert_eq!(names.len(), events.len(), "an event is owed once");
            owed.insert(sink, names);
        }
        for (call, sequences) in confirmed {
            let facts = reader.facts(call).unwrap();
            let kept: Vec<u32> = facts.iter().map(|fact| fact.sequence).collect();
            // What was written and not yet confirmed may be there, or not.
            assert!(kept.starts_with(&sequences), "{call}: confirmed {sequences:?}, kept {kept:?}");
            assert!(kept.is_sorted_by(|a, b| b - a == 1), "{call}: {kept:?} has a hole");
            for sequence in sequences {
                let event = EventRef { call, sequence };
                assert!(owed.values().all(|owed| owed.contains(&event)), "{event:?} is owed to nobody");
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_killed_writer_has_kept_what_it_confirmed_and_each_open_call_is_closed_once() {
    let seed = std::env::var("SEED").map_or_else(|_| u64::from(process::id()), |seed| seed.parse().unwrap());
    println!("replay with SEED={seed}");
    let mut dice = Dice::seeded(seed);
    let folder = Folder::new("killed");
    for round in 0..8 {
        let mut child = Child::spawn(&folder, seed.wrapping_add(round));
        let words = 1 + dice.below(400);
        let mut heard = 0;
        // After so many words, and not before something was confirmed.
        let mut confirmed = false;
        child.until(|word| {
            heard += 1;
            confirmed |= word.committed().is_some();
            confirmed && heard >= words
        });
        child.kill();
        child.assert_all_confirmed_are_there_once(&folder);

        let left = CallQuery { open: true, most: usize::MAX, ..CallQuery::default() };
        let open_calls = folder.reader().calls(&left).unwrap();
        assert!(!open_calls.is_empty(), "round {round}: nothing was cut short");
        let close = || {
            let mut opening = open(&folder, &["office", "file"]);
            close_crashed(&mut opening, at(900), &HashMap::new(), |_, fact| vec![event(fact)]).unwrap()
        };
        let closed: HashSet<CallId> = close().into_iter().map(|fact| fact.call).collect();
        assert_eq!(closed, open_calls.iter().map(|record| record.call).collect());
        assert_eq!(close(), [], "round {round}: closed twice");
        let reader = folder.reader();
        for record in open_calls {
            let facts = reader.facts(record.call).unwrap();
            let ends = facts.iter().filter(|fact| matches!(fact.what, What::Closed { .. })).count();
            assert_eq!(ends, 1);
            assert_eq!(reader.call(record.call).unwrap().unwrap().cause, Some(Cause::Crash));
        }
    }
}

#[test]
fn a_writer_that_ends_before_it_is_asked_to_stop_has_lost_nothing() {
    let folder = Folder::new("dropped");
    let store = open(&folder, &["office"]).start(|_| {}).unwrap();
    let calls: Vec<CallId> = (1..=300).map(crate::archive::call).collect();
    for (token, call) in (1..).zip(&calls) {
        let settled = StoreJob::Settled { sink: 0, event: EventRef { call: *call, sequence: 1 } };
        store.submit(token, vec![job(opened(*call, token)), settled]);
    }
    assert_eq!(store.close(), 0, "closing writes what is pending");
    let reader = folder.reader();
    assert!(calls.iter().all(|call| reader.facts(*call).unwrap().len() == 1));
    assert_eq!(reader.owed("office", None, 10).unwrap(), []);
}
