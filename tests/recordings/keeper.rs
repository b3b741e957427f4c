//! Recordings whose term is over go, after the ledger says so; nothing else does, whatever the clock says.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant as SystemInstant};

use hotline::id::CallId;
use hotline::io::recorder::keeper::Pace;
use hotline::io::recorder::keeper::belief::Trust;
use hotline::io::recorder::keeper::due::Terms;
use hotline::io::recorder::{Finding, Keeper, KeeperConfig, Looked, SealKeys, verify};
use hotline::io::store::{FILE, ManifestRow, Opening, Reader, Removal, Removals, Report, Store};
use hotline::ledger::{Action, Entry};
use hotline::routing::retention::{Days, RecordingClass, Retention};
use hotline::switchboard::fact::{Cause, Fact, What};
use hotline::switchboard::port::StoreJob;
use hotline::switchboard::request::Disposed;
use hotline::time::{Instant, Now, Timestamp};
use sha2::{Digest, Sha256};

use crate::shelf::{Folder, call, wait};

/// 1,096 days behind calls of 2021-09-01: the first day on which what is kept for 1,095 is due.
const DUE: &str = "2024-09-01T03:00:00+08:00";
/// The bytes of every file here.
const SOUND: &[u8] = b"RIFF of no more than this";

/// A data directory with its store.
struct Cellar {
    folder: Folder,
    store: Store,
}

impl Cellar {
    fn open(folder: Folder) -> Cellar {
        let store = Opening::open(&folder.0, &[]).unwrap().start(|_| {}).unwrap();
        Cellar { folder, store }
    }

    fn data(&self) -> &Path {
        &self.folder.0
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.data().join(FILE)).unwrap()
    }

    /// A file as it is filed; `wav` or `flac`, and `.sealed` behind it or not.
    fn file(&self, call: CallId, track: Option<u16>, day: &str, format: &str) -> String {
        let name = track.map_or_else(|| format!("{call}"), |leg| format!("{call}-{leg}"));
        let file = format!("recordings/{day}/{name}.{format}");
        fs::create_dir_all(self.data().join("recordings").join(day)).unwrap();
        fs::write(self.data().join(&file), SOUND).unwrap();
        let row = ManifestRow {
            call,
            track,
            file: file.clone(),
            format: format.trim_end_matches(".sealed").into(),
            sha256: Sha256::digest(SOUND).iter().map(|byte| format!("{byte:02x}")).collect(),
            bytes: SOUND.len() as u64,
            samples: 1,
            lost_frames: 0,
            gaps: Vec::new(),
            pauses: Vec::new(),
            at: "2021-09-01T02:00:00Z".parse().unwrap(),
            removed: None,
        };
        self.store.errands().file(row).blocking_recv().unwrap().unwrap();
        file
    }

    fn stands(&self, file: &str) -> bool {
        self.data().join(file).exists()
    }

    /// What was removed, in the order of the ledger, and by which class.
    fn ledger(&self) -> Vec<(CallId, Option<String>)> {
        let rows = self.reader().ledger(None, 1_000).unwrap();
        let entries = rows.iter().rev().map(|row| serde_json::from_str::<Entry>(&row.json).unwrap());
        let removed = entries.filter_map(|entry| match entry.action {
            Action::RecordingRemoved { call, class } => {
                assert_eq!((entry.actor.as_str(), entry.subject), ("system:retention", call.to_string()));
                Some((call, class))
            }
            _ => None,
        });
        removed.collect()
    }

    fn verify(&self) -> (Looked, Vec<Finding>) {
        let mut findings = Vec::new();
        let looked = verify(self.data(), &self.reader(), &SealKeys::default(), |finding| {
            findings.push(finding.clone())
        })
        .unwrap();
        (looked, findings)
    }

    fn keeper(
        &self,
        pace: Pace,
        newest: Option<Timestamp>,
        clock: Arc<dyn Fn() -> Now + Send + Sync>,
    ) -> Keeper {
        let (data, errands) = (self.data().to_owned(), self.store.errands());
        let (source, terms) = ("/hotline/test".into(), terms(1_095));
        Keeper::start(KeeperConfig { data, errands, source, terms, newest, clock, pace }).unwrap()
    }

    fn close(self) {
        assert_eq!(self.store.close(), 0);
    }
}

/// What is in no class is kept for so many days.
fn terms(keep: u32) -> Terms {
    let tax = RecordingClass {
        name: "税务".into(),
        keep: Days(3_650),
        lines: vec!["12366".into()],
        codes: Vec::new(),
    };
    let asked = RecordingClass {
        name: "咨询".into(),
        keep: Days(90),
        lines: Vec::new(),
        codes: vec!["consultation".into()],
    };
    let retention = Retention { keep: Some(Days(keep)), classes: vec![tax, asked] };
    Terms { retention, zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap() }
}

/// On the day on which they are due.
fn removals(calls: Vec<Removal>) -> Removals {
    Removals { calls, at: DUE.parse().unwrap(), source: "/hotline/test".into() }
}

/// Quick, but as careful as ever where `trust` says so.
fn pace() -> Pace {
    let ms = Duration::from_millis;
    let trust = Trust { settle: ms(0), ..Trust::default() };
    Pace { look: ms(2), every: Duration::from_secs(3_600), nap: ms(1), batch: 2, most: 1_000, trust }
}

/// A clock that stands at `wall` now and goes evenly.
fn clock(wall: &str) -> Arc<dyn Fn() -> Now + Send + Sync> {
    let (begun, wall) = (SystemInstant::now(), wall.parse::<Timestamp>().unwrap());
    Arc::new(move || {
        let gone = begun.elapsed();
        Now { mono: Instant::ZERO + gone, wall: wall.checked_add(gone).unwrap() }
    })
}

/// A call of `line` on a day of 2021; `open`: it has not ended.
fn story(call: CallId, line: &str, opened_at: &str, kind: Option<&str>, open: bool) -> Vec<Fact> {
    let opened = What::Opened {
        line: line.into(),
        dialled: line.into(),
        caller: "13800000042".into(),
        trunk: "carrier".into(),
        ticket: "21090100001".into(),
        plan: "00".into(),
        shifted_clock: false,
        wire_ref: "w".into(),
        room: None,
    };
    let about = Disposed { kind: kind.map(str::to_owned), by: "1001".into(), ..Disposed::default() };
    let disposed = kind.map(|_| What::Disposed(about));
    let (cause, sound, reason) = (Cause::CallerHungUp, None, None);
    let closed = What::Closed { cause, lasted_ms: 60_000, answered_ms: Some(59_000), sound, reason };
    let whats = std::iter::once(opened).chain(disposed).chain((!open).then_some(closed));
    let at = opened_at.parse().unwrap();
    let fact = |(what, sequence)| Fact { call, sequence, at, mono: Instant::ZERO, what };
    whats.zip(1..).map(fact).collect()
}

/// A store with these facts, and closed again.
fn written(name: &str, facts: Vec<Fact>) -> Folder {
    let folder = Folder::new(name);
    fs::remove_dir_all(folder.0.join("recordings")).unwrap();
    let (tell, reports) = channel();
    let store = Opening::open(&folder.0, &[]).unwrap().start(move |report| drop(tell.send(report))).unwrap();
    let job = |(fact, house)| StoreJob::Fact { house, fact, events: Vec::new() };
    store.submit(1, facts.into_iter().zip(1..).map(job).collect());
    while !matches!(reports.recv().unwrap(), Report::Committed { token: Some(1), .. }) {}
    assert_eq!(store.close(), 0);
    folder
}

const MORNING: &str = "2021-09-01T09:00:00+08:00";

#[test]
fn what_is_due_goes_after_the_ledger_says_so_and_a_crash_in_between_is_made_good() {
    let next_day = "2021-09-02T00:00:00+08:00";
    let facts = [
        story(call(1), "12345", MORNING, None, false),
        story(call(2), "12366", MORNING, None, false),
        story(call(3), "12345", MORNING, None, false),
        story(call(4), "12345", MORNING, None, true),
        story(call(5), "12345", next_day, None, false),
        story(call(6), "12345", MORNING, None, false),
        story(call(7), "12345", "2024-05-01T09:00:00+08:00", Some("consultation"), false),
        story(call(8), "12345", "2024-08-31T09:00:00+08:00", Some("consultation"), false),
    ];
    let cellar = Cellar::open(written("due", facts.concat()));
    let due = [
        cellar.file(call(1), None, "2021-09-01", "flac"),
        cellar.file(call(1), Some(0), "2021-09-01", "flac"),
        cellar.file(call(1), Some(1), "2021-09-01", "wav"),
        cellar.file(call(7), None, "2024-05-01", "wav"),
    ];
    let stay = [
        cellar.file(call(2), None, "2021-09-01", "wav"),
        cellar.file(call(3), None, "2021-09-01", "wav"),
        cellar.file(call(4), None, "2021-09-01", "wav"),
        cellar.file(call(5), None, "2021-09-02", "wav"),
        cellar.file(call(8), None, "2024-08-31", "wav"),
    ];
    let worker = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let errands = cellar.store.errands();
    let (at, why) = (DUE.parse().unwrap(), || ("wang".to_owned(), "case 7".to_owned()));
    let hold = |call| worker.block_on(errands.hold(call, at, why().0, why().1)).unwrap();
    assert_eq!((hold(call(3)), hold(call(3))), (Some(true), Some(false)));
    // Killed between the ledger and the file.
    let entered = cellar.file(call(6), None, "2021-09-01", "wav");
    let removal =
        |call, class: Option<&str>| Removal { call, class: class.map(str::to_owned), reason: "r".into() };
    let removed = errands.remove(removals(vec![removal(call(6), None), removal(call(3), None)]));
    assert_eq!(removed.blocking_recv().unwrap().unwrap(), [call(6)], "not what is under hold");
    assert!(cellar.stands(&entered));
    assert_eq!(cellar.verify().1, [], "what is on its way out is no finding");
    // Killed between compressing and removing what it was made of.
    let left = cellar.data().join(due[0].replace("flac", "wav"));
    fs::write(&left, SOUND).unwrap();

    let keeper = cellar.keeper(pace(), None, clock(DUE));
    wait("a pass", || keeper.figures().passes.load(Ordering::Relaxed) == 1);
    let figures = keeper.figures();
    let count = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
    assert_eq!((count(&figures.files), count(&figures.bytes)), (6, 6 * SOUND.len() as u64));
    assert_eq!((count(&figures.overdue), count(&figures.held), count(&figures.failed)), (0, 1, 0));
    keeper.close();
    for file in due.iter().chain([&entered]) {
        assert!(!cellar.stands(file), "{file}");
    }
    assert!(!left.exists(), "in either form");
    assert!(!cellar.stands("recordings/2024-05-01"), "no empty directories");
    for file in &stay {
        assert!(cellar.stands(file), "{file}");
    }
    let asked = Some("咨询".to_owned());
    assert_eq!(cellar.ledger(), [(call(6), None), (call(1), None), (call(7), asked.clone())]);
    let rows = cellar.reader().manifest_of(call(7)).unwrap();
    let removed = rows[0].removed.as_ref().unwrap();
    assert_eq!((removed.gone, &removed.class, rows[0].sha256.len()), (true, &asked, 64));
    let (looked, findings) = cellar.verify();
    assert_eq!((looked.filed, looked.removed, findings), (5, 5, vec![]));

    // A second start, on the next day, with the hold gone: not a second time what went.
    assert!(worker.block_on(errands.release(call(3), at, why().0, why().1)).unwrap());
    assert!(!worker.block_on(errands.release(call(3), at, why().0, why().1)).unwrap());
    let keeper = cellar.keeper(pace(), None, clock("2024-09-02T03:00:00+08:00"));
    wait("another pass", || keeper.figures().passes.load(Ordering::Relaxed) == 1);
    assert_eq!(keeper.figures().files.load(Ordering::Relaxed), 2);
    keeper.close();
    assert_eq!(cellar.ledger()[3..], [(call(3), None), (call(5), None)]);
    assert_eq!(worker.block_on(errands.hold(call(3), at, why().0, why().1)).unwrap(), None, "it is gone");
    // A file that comes back is no file of ours.
    fs::create_dir_all(cellar.data().join("recordings/2021-09-02")).unwrap();
    fs::write(cellar.data().join(&stay[3]), SOUND).unwrap();
    let (_, findings) = cellar.verify();
    assert!(matches!(&findings[..], [Finding::Changed { file, .. }] if *file == stay[3]), "{findings:?}");
    cellar.close();
}

#[test]
fn one_pass_removes_so_many_and_tells_of_the_others() {
    let facts: Vec<Fact> = (1..=5).flat_map(|n| story(call(n), "12345", MORNING, None, false)).collect();
    let cellar = Cellar::open(written("most", facts));
    // In each of the forms in which a file may lie.
    let forms = (1..=5).zip(["wav", "flac", "wav.sealed", "flac.sealed", "wav"]);
    let files: Vec<String> = forms.map(|(n, form)| cellar.file(call(n), None, "2021-09-01", form)).collect();
    let keeper = cellar.keeper(Pace { most: 2, ..pace() }, None, clock(DUE));
    wait("a pass", || keeper.figures().passes.load(Ordering::Relaxed) == 1);
    assert_eq!(keeper.figures().overdue.load(Ordering::Relaxed), 3);
    assert_eq!(files.iter().filter(|file| cellar.stands(file)).count(), 3);
    keeper.close();
    let keeper = cellar.keeper(Pace { most: 2, every: Duration::ZERO, ..pace() }, None, clock(DUE));
    wait("the others", || files.iter().all(|file| !cellar.stands(file)));
    wait("nothing overdue", || keeper.figures().overdue.load(Ordering::Relaxed) == 0);
    keeper.close();
    assert_eq!(cellar.ledger().len(), 5);
    cellar.close();
}

#[test]
fn a_reload_that_shortens_the_term_or_lengthens_it_holds_from_the_next_pass_on() {
    let facts: Vec<Fact> = (1..=2).flat_map(|n| story(call(n), "12345", MORNING, None, false)).collect();
    let cellar = Cellar::open(written("reload", facts));
    let first = cellar.file(call(1), None, "2021-09-01", "wav");
    let keeper =
        cellar.keeper(Pace { every: Duration::ZERO, ..pace() }, None, clock("2024-08-01T03:00:00+08:00"));
    let passes = || keeper.figures().passes.load(Ordering::Relaxed);
    // One that is under way now may have begun by the terms before, the one behind it has not.
    let two_passes = || {
        let seen = passes();
        wait("two passes", || passes() >= seen + 2);
    };
    two_passes();
    assert!(cellar.stands(&first), "a month is left");

    keeper.set_terms(terms(1_000));
    wait("the first to go", || !cellar.stands(&first));
    keeper.set_terms(terms(2_000));
    two_passes();
    let second = cellar.file(call(2), None, "2021-09-01", "wav");
    two_passes();
    assert!(cellar.stands(&second), "it would have gone by the term before");
    keeper.set_terms(terms(1_000));
    wait("the second to go", || !cellar.stands(&second));
    keeper.close();
    assert_eq!(cellar.ledger(), [(call(1), None), (call(2), None)]);
    cellar.close();
}

#[test]
fn a_clock_that_is_not_believed_removes_nothing() {
    let cellar = Cellar::open(written("clock", story(call(1), "12345", MORNING, None, false)));
    let file = cellar.file(call(1), None, "2021-09-01", "wav");
    let looks = Arc::new(AtomicU64::new(0));
    let counted = |clock: Arc<dyn Fn() -> Now + Send + Sync>, jumps: Duration| {
        let looks = Arc::clone(&looks);
        looks.store(0, Ordering::Relaxed);
        let jumping = move || {
            let now = clock();
            let ahead = if looks.fetch_add(1, Ordering::Relaxed) < 3 { Duration::ZERO } else { jumps };
            Now { wall: now.wall.checked_add(ahead).unwrap(), ..now }
        };
        Arc::new(jumping) as Arc<dyn Fn() -> Now + Send + Sync>
    };
    let three_years = Duration::from_secs(3 * 366 * 86_400);
    for (wall, newest, jumps) in [
        // Three years ahead of the newest fact at the start; and ahead from the fourth look on.
        (DUE, Some(MORNING), Duration::ZERO),
        ("2021-09-02T09:00:00+08:00", Some(MORNING), three_years),
    ] {
        let newest = newest.map(|newest| newest.parse().unwrap());
        let keeper =
            cellar.keeper(Pace { every: Duration::ZERO, ..pace() }, newest, counted(clock(wall), jumps));
        wait("many looks", || looks.load(Ordering::Relaxed) > 50);
        assert_eq!(keeper.figures().files.load(Ordering::Relaxed), 0, "{wall}");
        keeper.close();
        assert!(cellar.stands(&file), "{wall}");
    }
    // As soon as it is: the same clock, by somebody who has looked at it for long enough.
    let trust = Trust { doubt: Duration::from_millis(20), ..pace().trust };
    let keeper = cellar.keeper(Pace { trust, ..pace() }, Some(MORNING.parse().unwrap()), clock(DUE));
    wait("the file to go", || !cellar.stands(&file));
    keeper.close();
    cellar.close();
}

#[test]
fn a_file_that_cannot_be_removed_is_told_and_tried_again_and_keeps_no_other() {
    let facts: Vec<Fact> = (1..=2).flat_map(|n| story(call(n), "12345", MORNING, None, false)).collect();
    let cellar = Cellar::open(written("barred", facts));
    let files: Vec<String> = (1..=2).map(|n| cellar.file(call(n), None, "2021-09-01", "wav")).collect();
    // A directory in its place, which no file's removal takes away.
    fs::remove_file(cellar.data().join(&files[0])).unwrap();
    fs::create_dir_all(cellar.data().join(&files[0]).join("in-it")).unwrap();
    let keeper = cellar.keeper(pace(), None, clock(DUE));
    wait("a pass", || keeper.figures().passes.load(Ordering::Relaxed) == 1);
    let count = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
    assert_eq!((count(&keeper.figures().failed), count(&keeper.figures().files)), (1, 1));
    keeper.close();
    assert!(!cellar.stands(&files[1]));
    fs::remove_dir_all(cellar.data().join(&files[0])).unwrap();
    let keeper = cellar.keeper(pace(), None, clock(DUE));
    wait("another pass", || keeper.figures().passes.load(Ordering::Relaxed) == 1);
    assert_eq!((count(&keeper.figures().failed), cellar.reader().leaving("", 9).unwrap().len()), (0, 0));
    keeper.close();
    assert_eq!(cellar.ledger().len(), 2, "once each");
    cellar.close();
}

#[test]
fn nobody_exports_what_the_ledger_says_is_removed() {
    let mut facts = story(call(1), "12345", MORNING, None, false);
    let recorded = What::Recorded {
        file: format!("recordings/2021-09-01/{}.wav", call(1)),
        duration_ms: 59_000,
        lost_frames: 0,
    };
    facts.push(Fact { sequence: 9, what: recorded, ..facts[0].clone() });
    let cellar = Cellar::open(written("exported", facts));
    let file = cellar.file(call(1), None, "2021-09-01", "wav");
    let removal = Removal { call: call(1), class: Some("咨询".into()), reason: "r".into() };
    let removed = cellar.store.errands().remove(removals(vec![removal]));
    assert_eq!(removed.blocking_recv().unwrap().unwrap(), [call(1)]);
    assert!(cellar.stands(&file), "it is yet to go");
    let out = cellar.data().join("exported.wav");
    let exported = std::process::Command::new(env!("CARGO_BIN_EXE_hotline"))
        .args(["records", "open", &call(1).to_string(), "--reason", "court order", "--out"])
        .args([&out, Path::new("--data"), cellar.data()])
        .output()
        .unwrap();
    let said = String::from_utf8(exported.stderr).unwrap();
    assert_eq!(exported.status.code(), Some(1), "{said}");
    assert!(said.contains("2024-08-31T19:00:00Z") && said.contains("by the class \"咨询\""), "{said}");
    assert!(!out.exists());
    assert_eq!(cellar.reader().ledger(None, 9).unwrap().len(), 1, "the removal alone");
    cellar.close();
}

#[test]
fn a_call_that_cannot_be_read_keeps_its_own_recording_and_no_other() {
    let facts: Vec<Fact> = (1..=3).flat_map(|n| story(call(n), "12345", MORNING, None, false)).collect();
    let cellar = Cellar::open(written("unreadable", facts));
    let files: Vec<String> = (1..=3).map(|n| cellar.file(call(n), None, "2021-09-01", "wav")).collect();
    let db = rusqlite::Connection::open(cellar.data().join(FILE)).unwrap();
    db.execute("UPDATE facts SET json = '{' WHERE call = ? AND sequence = 1", [call(1).to_string()]).unwrap();
    let keeper = cellar.keeper(pace(), None, clock(DUE));
    wait("a pass", || keeper.figures().passes.load(Ordering::Relaxed) == 1);
    assert_eq!(keeper.figures().failed.load(Ordering::Relaxed), 1);
    keeper.close();
    assert_eq!(files.iter().map(|file| cellar.stands(file)).collect::<Vec<_>>(), [true, false, false]);
    cellar.close();
}

#[test]
fn what_no_class_makes_due_is_passed_over_without_naps_and_without_its_facts() {
    let kept = |n| story(call(n), "12366", MORNING, None, false);
    let facts = (1..=40).flat_map(kept).chain(story(call(41), "12345", MORNING, None, false));
    let cellar = Cellar::open(written("passed-over", facts.collect()));
    let files: Vec<String> = (1..=41).map(|n| cellar.file(call(n), None, "2021-09-01", "wav")).collect();
    // A batch is of two: naps would take a day.
    let slow = Pace { nap: Duration::from_secs(3_600), ..pace() };
    let keeper = cellar.keeper(slow, None, clock("2024-08-31T03:00:00+08:00"));
    wait("a pass", || keeper.figures().passes.load(Ordering::Relaxed) == 1);
    // What line 12345 was asked for may have been but a question, of a short term: its facts say.
    assert_eq!(keeper.figures().read.load(Ordering::Relaxed), 1);
    keeper.close();
    assert!(files.iter().all(|file| cellar.stands(file)));
    cellar.close();
}

#[test]
fn what_goes_or_changes_its_form_while_all_is_verified_is_no_finding() {
    let cellar = Cellar::open(written("verified", story(call(1), "12345", MORNING, None, false)));
    let files: Vec<String> = (1..=3).map(|n| cellar.file(call(n), None, "2021-09-01", "wav")).collect();
    let remove = |file: &str| fs::remove_file(cellar.data().join(file)).unwrap();
    // Compressed, and not entered yet when the directory is looked at.
    let flac = files[2].replace("wav", "flac");
    fs::write(cellar.data().join(&flac), SOUND).unwrap();
    remove(&files[0]);
    let (mut findings, reader) = (Vec::new(), cellar.reader());
    let looked = verify(cellar.data(), &reader, &SealKeys::default(), |finding| {
        findings.push(finding.clone());
        if findings.len() > 1 {
            return;
        }
        let removal = Removal { call: call(2), class: None, reason: "r".into() };
        let removed = cellar.store.errands().remove(removals(vec![removal]));
        assert_eq!(removed.blocking_recv().unwrap().unwrap(), [call(2)]);
        remove(&files[1]);
        cellar.file(call(3), None, "2021-09-01", "flac");
        remove(&files[2]);
    })
    .unwrap();
    assert_eq!(findings, [Finding::Missing { file: files[0].clone() }]);
    assert_eq!((looked.filed, looked.removed, looked.findings), (2, 1, 1));
    cellar.close();
}
