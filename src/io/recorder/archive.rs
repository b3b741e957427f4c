//! What becomes of a recording's files after the call: compressed if the plan wants it, encrypted if it has a key,
//! summed, and entered into the manifest.
//!
//! One thread does it that gives way to all others, one file after another. It looks at what is there
//! and does what is missing, so whatever a killed process left half done is done at the next start: a
//! WAV file goes only when its FLAC file is on disk, was found to hold the same samples, and is
//! entered; a file in the clear only when the sealed one is on disk, was found to open to the same bytes, and is
//! entered. One that cannot be sealed is not entered: it stays as it is, and is tried again.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError as NotYet;

use super::keeper::remove_forms;
use super::name::{Format, UNFINISHED, sealed_name};
use super::read::{SoundFile, samples_in};
use super::seal::{is_same_file, seal_file};
use super::seal_keys::{Key, SealKeys};
use super::sweep::Sweep;
use super::{flac, nice};
use crate::id::CallId;
use crate::io::store::{Errands, ManifestRow, StoreError};
use crate::media::order::Filed;
use crate::time::Timestamp;

/// Files that wait; those that find no room are found later by a look at the directories.
const WAITING_MAX: usize = 8_192;
/// Rows on their way to disk at once.
const ROWS_MAX: usize = 64;
/// Between two looks at rows that are on their way.
const NAP: Duration = Duration::from_millis(200);
/// How long after something was passed over the directories are looked through; so long after a row could not be written
/// its file is tried again.
const SWEEP_AFTER: Duration = Duration::from_secs(60);
/// How long after a file could not be sealed it is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(600);
/// Files that are tried again and known by all that was told of them; others are found by a look at the directories.
const AGAIN_MAX: usize = 1_024;
/// At the end, what is not done by then is left to the next start.
const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// What an archive needs to know.
pub struct ArchiveConfig {
    /// The data directory.
    pub data: PathBuf,
    /// What files become.
    pub format: Format,
    /// What they are sealed with, and read with.
    pub keys: Arc<SealKeys>,
    /// Where rows go.
    pub errands: Errands,
}

/// What the archive counts.
#[derive(Debug, Default)]
pub struct ArchiveFigures {
    /// Files entered into the manifest.
    pub filed: AtomicU64,
    /// Files put off because too many waited.
    pub put_off: AtomicU64,
    /// Files that could not be compressed, sealed, summed or entered: an alarm.
    pub failed: AtomicU64,
}

/// The house's end. Nothing here waits but [`Archive::close`].
pub struct Archive {
    jobs: Option<SyncSender<Box<Filed>>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    flac: AtomicBool,
    keys: Mutex<Arc<SealKeys>>,
    /// Something was passed over.
    overlooked: AtomicBool,
    /// Until then the thread goes on, once it is to end.
    ends: OnceLock<Instant>,
    figures: ArchiveFigures,
}

impl Shared {
    fn keys(&self) -> Arc<SealKeys> {
        Arc::clone(&self.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn goes_on(&self) -> bool {
        self.ends.get().is_none_or(|ends| Instant::now() < *ends)
    }
}

impl Archive {
    /// Starts the thread, which first looks for what the last run left undone.
    pub fn start(config: ArchiveConfig) -> io::Result<Archive> {
        let shared = Arc::new(Shared {
            flac: AtomicBool::new(config.format == Format::Flac),
            keys: Mutex::new(config.keys),
            overlooked: AtomicBool::new(false),
            ends: OnceLock::new(),
            figures: ArchiveFigures::default(),
        });
        let (jobs, inbox) = sync_channel(WAITING_MAX);
        let clerk = Clerk {
            data: config.data,
            errands: config.errands,
            shared: Arc::clone(&shared),
            rows: VecDeque::new(),
            again: VecDeque::new(),
            sweep: None,
            told: HashSet::new(),
            sweep_at: Some(Instant::now()),
        };
        let thread = std::thread::Builder::new().name("archive".into()).spawn(move || clerk.run(&inbox))?;
        Ok(Archive { jobs: Some(jobs), shared, thread: Some(thread) })
    }

    /// Has a file filed.
    pub fn file(&self, filed: Box<Filed>) {
        if self.jobs.as_ref().is_none_or(|jobs| jobs.try_send(filed).is_err()) {
            self.shared.figures.put_off.fetch_add(1, Ordering::Relaxed);
            self.shared.overlooked.store(true, Ordering::Relaxed);
        }
    }

    /// What files become from now on.
    pub fn set_format(&self, format: Format) {
        self.shared.flac.store(format == Format::Flac, Ordering::Relaxed);
    }

    /// What files are sealed with from now on, and what those there are are read with.
    pub fn set_keys(&self, keys: Arc<SealKeys>) {
        *self.shared.keys.lock().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// The figures.
    pub fn figures(&self) -> &ArchiveFigures {
        &self.shared.figures
    }

    /// Ends the thread; what it does not come to in two seconds is left to the next start.
    pub fn close(mut self) {
        let _ = self.shared.ends.set(Instant::now() + CLOSE_GRACE);
        self.jobs = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the archive's thread had died");
        }
    }
}

/// The thread.
struct Clerk {
    data: PathBuf,
    errands: Errands,
    shared: Arc<Shared>,
    rows: VecDeque<Row>,
    /// Files that could not be sealed or entered, and when they are tried again: in that order, at most [`AGAIN_MAX`].
    again: VecDeque<(Instant, Filed)>,
    sweep: Option<Sweep>,
    /// Files that were told of while it goes on.
    told: HashSet<(CallId, Option<u16>)>,
    sweep_at: Option<Instant>,
}

/// A row on its way to disk.
struct Row {
    answer: oneshot::Receiver<Result<bool, StoreError>>,
    file: String,
    /// What goes when it is there.
    superseded: Vec<PathBuf>,
    /// What it was made of.
    filed: Filed,
}

/// A file as it is kept.
struct Kept {
    file: String,
    format: Format,
    /// What it was made from, in the order in which it goes.
    superseded: Vec<PathBuf>,
}

impl Clerk {
    fn run(mut self, inbox: &Receiver<Box<Filed>>) {
        nice::give_way();
        loop {
            self.settle_rows(ROWS_MAX);
            match inbox.try_recv() {
                Ok(filed) => self.take(&filed),
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) if self.look_further() => {}
                Err(TryRecvError::Empty) => match inbox.recv_timeout(NAP) {
                    Ok(filed) => self.take(&filed),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                },
            }
        }
        self.settle_rows(0);
    }

    /// One file that is tried again, or one step through the directories, if there is one to do.
    fn look_further(&mut self) -> bool {
        if let Some((_, filed)) = self.again.pop_front_if(|(at, _)| *at <= Instant::now()) {
            self.file(&filed);
            return true;
        }
        if self.shared.overlooked.swap(false, Ordering::Relaxed) {
            self.sweep_at.get_or_insert_with(|| Instant::now() + SWEEP_AFTER);
        }
        if self.sweep.is_none() && self.sweep_at.take_if(|at| *at <= Instant::now()).is_some() {
            self.settle_rows(0); // What is entered is not looked for.
            self.sweep = Some(Sweep::begin(&self.data));
        }
        let Some(sweep) = &mut self.sweep else { return false };
        match sweep.next() {
            // Told of meanwhile, by who knows more.
            Some(filed) if self.told.contains(&(filed.call, filed.track)) => {}
            // Told of before, and to be tried again.
            Some(filed) if self.again.iter().any(|(_, own)| own.file == filed.file) => {}
            Some(filed) => self.file(&filed),
            None => {
                self.told.clear();
                if std::mem::take(&mut self.sweep).is_some_and(|sweep| sweep.has_failed()) {
                    self.shared.overlooked.store(true, Ordering::Relaxed);
                }
            }
        }
        true
    }

    fn take(&mut self, filed: &Filed) {
        if self.sweep.is_some() {
            self.told.insert((filed.call, filed.track));
        }
        self.file(filed);
    }

    fn file(&mut self, filed: &Filed) {
        if !self.shared.goes_on() {
            return;
        }
        match self.row_of(filed) {
            Ok((row, superseded)) => {
                let file = row.file.clone();
                let answer = self.errands.file(row);
                self.rows.push_back(Row { answer, file, superseded, filed: filed.clone() });
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                // Nothing stays in the clear for a full disk. What is gone is tried no more.
                if self.shared.keys().for_new().is_some() && error.kind() != io::ErrorKind::NotFound {
                    self.try_again(filed.clone(), RETRY_AFTER);
                }
                self.failed(&filed.file, &error);
            }
        }
    }

    /// A look at the directories would find it, too, having no row, but not what was told of it.
    fn try_again(&mut self, filed: Filed, after: Duration) {
        let at = Instant::now() + after;
        if self.again.len() < AGAIN_MAX {
            let place = self.again.partition_point(|(before, _)| *before <= at);
            self.again.insert(place, (at, filed));
        } else {
            self.sweep_at = Some(self.sweep_at.map_or(at, |before| before.min(at)));
        }
    }

    fn failed(&self, file: &str, error: &dyn std::fmt::Display) {
        self.shared.figures.failed.fetch_add(1, Ordering::Relaxed);
        tracing::error!(%error, file, "a recording is not filed");
    }

    /// The file is brought into the form that it is kept in, and summed.
    fn row_of(&self, filed: &Filed) -> io::Result<(ManifestRow, Vec<PathBuf>)> {
        let keys = self.shared.keys();
        let Kept { file, format, superseded } = self.keep(&filed.file, &keys)?;
        let path = self.data.join(&file);
        let (sha256, bytes) = sum(&path, &|| self.shared.goes_on())?;
        let samples = samples_in(SoundFile::open(&path, &keys)?, format)?;
        let row = ManifestRow {
            call: filed.call,
            track: filed.track,
            file,
            format: format.extension().into(),
            sha256,
            bytes,
            samples,
            lost_frames: filed.lost_frames,
            gaps: filed.gaps.clone(),
            pauses: filed.pauses.clone(),
            at: Timestamp::now(),
            removed: None,
        };
        Ok((row, superseded))
    }

    fn keep(&self, file: &str, keys: &SealKeys) -> io::Result<Kept> {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        match (self.keep_clear(file, stem)?, keys.for_new()) {
            (Some(clear), None) => Ok(clear),
            (Some(clear), Some(key)) => self.sealed(clear, stem, key, keys),
            (None, _) => {
                let mut forms = [Format::Flac, Format::Wav]
                    .into_iter()
                    .map(|format| (sealed_name(&format!("{stem}.{}", format.extension())), format));
                let found = forms.find(|(file, _)| stands(&self.data.join(file)));
                let (file, format) = found.ok_or(io::ErrorKind::NotFound)?;
                Ok(Kept { file, format, superseded: Vec::new() })
            }
        }
    }

    /// The form in the clear that is kept, or sealed; `None`: there is none.
    fn keep_clear(&self, file: &str, stem: &str) -> io::Result<Option<Kept>> {
        let of = |format: Format| format!("{stem}.{}", format.extension());
        let (wav, flac) = (self.data.join(of(Format::Wav)), self.data.join(of(Format::Flac)));
        let kept = |format, superseded: Option<PathBuf>| {
            Some(Kept { file: of(format), format, superseded: superseded.into_iter().collect() })
        };
        let go_on = || self.shared.goes_on();
        match (stands(&wav), stands(&flac)) {
            (false, false) => Ok(None),
            (false, true) => Ok(kept(Format::Flac, None)),
            // Both: somebody was killed between the two, or put one there.
            (true, true) if flac::is_same_sound(&wav, &flac, &go_on)? => Ok(kept(Format::Flac, Some(wav))),
            (true, both) => {
                if both {
                    tracing::warn!(file, "a FLAC file that is not its WAV file's is made anew");
                    fs::remove_file(&flac)?;
                }
                if !self.shared.flac.load(Ordering::Relaxed) {
                    return Ok(kept(Format::Wav, None));
                }
                match self.compress(&wav, &flac) {
                    Ok(()) => Ok(kept(Format::Flac, Some(wav))),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
                    Err(error) => {
                        // Too short to gain anything, or no room: the sound is kept as it is.
                        if error.kind() != io::ErrorKind::Unsupported {
                            self.shared.figures.failed.fetch_add(1, Ordering::Relaxed);
                            tracing::error!(%error, file, "a recording is kept as WAV: it cannot be compressed");
                        }
                        Ok(kept(Format::Wav, None))
                    }
                }
            }
        }
    }

    /// The same sealed, which what is in the clear makes way for.
    fn sealed(&self, clear: Kept, stem: &str, key: &Key, keys: &SealKeys) -> io::Result<Kept> {
        let go_on = || self.shared.goes_on();
        let opens_to = |clear: &Path, sealed: &Path| {
            Ok::<bool, io::Error>(stands(sealed) && is_same_file(clear, sealed, keys, &go_on)?)
        };
        let path = self.data.join(&clear.file);
        let file = sealed_name(&clear.file);
        let sealed = self.data.join(&file);
        if !opens_to(&path, &sealed)? {
            if stands(&sealed) {
                tracing::warn!(file, "a sealed file that does not open to its clear one is made anew");
                fs::remove_file(&sealed)?;
            }
            self.make(
                &sealed,
                |part| seal_file(&path, part, key, &go_on),
                |part| is_same_file(&path, part, keys, &go_on),
            )?;
        }
        let mut superseded = clear.superseded;
        // By a plan that wanted WAV it may have been sealed so, when somebody was killed.
        let wav = format!("{stem}.{}", Format::Wav.extension());
        let (wav, other) = (self.data.join(&wav), self.data.join(sealed_name(&wav)));
        if other != sealed && superseded.contains(&wav) && opens_to(&wav, &other)? {
            superseded.insert(0, other);
        }
        superseded.push(path);
        Ok(Kept { file, format: clear.format, superseded })
    }

    fn compress(&self, wav: &Path, flac: &Path) -> io::Result<()> {
        let go_on = || self.shared.goes_on();
        self.make(
            flac,
            |part| flac::compress(wav, part, &go_on),
            |part| flac::is_same_sound(wav, part, &go_on),
        )
    }

    /// Makes a copy that gets its name once it was found to be true, and lasts.
    fn make(
        &self,
        copy: &Path,
        write: impl FnOnce(&Path) -> io::Result<()>,
        is_true: impl FnOnce(&Path) -> io::Result<bool>,
    ) -> io::Result<()> {
        let mut part = copy.as_os_str().to_owned();
        part.push(format!(".{UNFINISHED}"));
        let part = PathBuf::from(part);
        let _ = fs::remove_file(&part); // Of a try before.
        let made = write(&part).and_then(|()| {
            if is_true(&part)? {
                fs::rename(&part, copy)?;
                sync_directory(copy)
            } else {
                Err(io::Error::other("the copy does not hold what the original does"))
            }
        });
        if made.is_err() {
            let _ = fs::remove_file(&part);
        }
        made
    }

    /// Waits until at most `most` rows are on their way.
    fn settle_rows(&mut self, most: usize) {
        while let Some(mut row) = self.rows.pop_front() {
            let answer = match row.answer.try_recv() {
                Err(NotYet::Empty) if self.rows.len() < most => {
                    self.rows.push_front(row);
                    return;
                }
                Err(NotYet::Empty) => row.answer.blocking_recv().unwrap_or(Err(StoreError::Gone)),
                Err(NotYet::Closed) => Err(StoreError::Gone),
                Ok(answer) => answer,
            };
            match answer {
                Ok(false) => {
                    // Its term ran out while the file was made: the keeper has looked for its forms, and knew not of this.
                    if let Err(error) = remove_forms(&self.data, &row.file) {
                        self.failed(&row.file, &error);
                    }
                }
                Ok(true) => {
                    self.shared.figures.filed.fetch_add(1, Ordering::Relaxed);
                    // Stops at the first that stays: what was made last is made from what was before.
                    let mut goes = row.superseded.iter();
                    let gone =
                        goes.try_for_each(|from| fs::remove_file(from).and_then(|()| sync_directory(from)));
                    if let Err(error) = gone {
                        self.failed(&row.file, &error);
                    }
                }
                Err(error) => {
                    self.failed(&row.file, &error);
                    self.try_again(row.filed, SWEEP_AFTER);
                }
            }
        }
    }
}

/// Whether there is a file, and not a link or a pipe in its place.
fn stands(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_file())
}

pub(super) fn sync_directory(of: &Path) -> io::Result<()> {
    match of.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

/// The SHA-256 of a whole file, lower-case hexadecimal, and its bytes.
pub(super) fn sum(path: &Path, go_on: flac::GoOn<'_>) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut sum = Sha256::new();
    let mut bytes = 0;
    let mut block = vec![0; 1 << 16];
    loop {
        if !go_on() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match file.read(&mut block)? {
            0 => break,
            read => {
                sum.update(&block[..read]);
                bytes += read as u64;
            }
        }
    }
    Ok((sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect(), bytes))
}

#[cfg(test)]
mod tests {
    use super::super::name::FileName;
    use super::*;
    use crate::id::Dice;
    use crate::io::store::{FILE, Opening, Reader, Removal, Removals, Store};

    /// A clerk whose thread is the test's, and its store.
    struct Desk {
        data: PathBuf,
        store: Store,
        clerk: Clerk,
    }

    impl Desk {
        fn new(name: &str) -> Desk {
            let data = std::env::temp_dir().join(format!("hotline-clerk-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&data);
            fs::create_dir_all(data.join("recordings/2021-09-01")).unwrap();
            let store = Opening::open(&data, &[]).unwrap().start(|_| {}).unwrap();
            let keys = SealKeys::new(Some(Key::new([7; 32])), Vec::new());
            let clerk = Clerk {
                data: data.clone(),
                errands: store.errands(),
                shared: Arc::new(Shared {
                    flac: AtomicBool::new(false),
                    keys: Mutex::new(Arc::new(keys)),
                    overlooked: AtomicBool::new(false),
                    ends: OnceLock::new(),
                    figures: ArchiveFigures::default(),
                }),
                rows: VecDeque::new(),
                again: VecDeque::new(),
                sweep: None,
                told: HashSet::new(),
                sweep_at: None,
            };
            Desk { data, store, clerk }
        }

        /// A recording of 320 samples as the recorder leaves it, and what it tells of it.
        fn recording(&self, n: u64) -> Filed {
            let call = CallId::draw(n, &mut Dice::seeded(n));
            let file = FileName::new(call, None).on("2021-09-01");
            let spec = hound::WavSpec {
                channels: 2,
                sample_rate: 8_000,
                bits_per_sample: 16,
                sample_format: hound::SampleFormat::Int,
            };
            let mut wav = hound::WavWriter::create(self.data.join(&file), spec).unwrap();
            (0..640).for_each(|sample: i16| wav.write_sample(sample).unwrap());
            wav.finalize().unwrap();
            let gaps = vec![(160, 320)];
            Filed { call, track: None, file, samples: 320, lost_frames: 1, gaps, pauses: Vec::new() }
        }

        fn rows(&self, call: CallId) -> Vec<ManifestRow> {
            Reader::open(&self.data.join(FILE)).unwrap().manifest_of(call).unwrap()
        }

        fn count(&self) -> [u64; 2] {
            let figures = &self.clerk.shared.figures;
            [&figures.filed, &figures.failed].map(|figure| figure.load(Ordering::Relaxed))
        }

        fn close(self) {
            assert_eq!(self.store.close(), 0);
            fs::remove_dir_all(&self.data).unwrap();
        }
    }

    #[test]
    fn what_cannot_be_sealed_is_tried_again_by_itself_and_with_its_gaps() {
        let mut desk = Desk::new("again");
        let filed = desk.recording(1);
        // In the place of the copy that is made: nothing can be written there.
        let barrier = desk.data.join(sealed_name(&filed.file) + ".part");
        fs::create_dir_all(barrier.join("in-it")).unwrap();
        desk.clerk.file(&filed);
        assert_eq!((desk.count(), desk.rows(filed.call).len()), ([0, 1], 0));
        assert!(!desk.clerk.look_further(), "not at once, and no walk through the archive");
        assert_eq!(desk.clerk.sweep_at, None);
        // A look for another reason leaves it to who knows more of it.
        desk.clerk.sweep = Some(Sweep::begin(&desk.data));
        while desk.clerk.look_further() {}
        assert_eq!(desk.count(), [0, 1]);

        fs::remove_dir_all(&barrier).unwrap();
        desk.clerk.again[0].0 = Instant::now();
        assert!(desk.clerk.look_further() && desk.clerk.again.is_empty());
        desk.clerk.settle_rows(0);
        let rows = desk.rows(filed.call);
        assert_eq!((rows[0].file.clone(), &rows[0].gaps), (sealed_name(&filed.file), &filed.gaps));
        assert!(!stands(&desk.data.join(&filed.file)));

        // What is gone is not tried for ever, and more than find room are left to a look at the directories.
        desk.clerk.file(&Filed { file: "recordings/2021-09-01/gone.wav".into(), ..filed.clone() });
        assert!(desk.clerk.again.is_empty() && desk.clerk.sweep_at.is_none());
        (0..=AGAIN_MAX).for_each(|_| desk.clerk.try_again(filed.clone(), RETRY_AFTER));
        assert!(desk.clerk.again.len() == AGAIN_MAX && desk.clerk.sweep_at.is_some());
        desk.close();
    }

    #[test]
    fn what_is_removed_while_it_is_sealed_leaves_nothing_behind() {
        let mut desk = Desk::new("removed");
        let filed = desk.recording(2);
        let (row, _) = desk.clerk.row_of(&filed).unwrap();
        fs::remove_file(desk.data.join(&row.file)).unwrap();
        let row = ManifestRow { file: filed.file.clone(), ..row };
        assert!(desk.clerk.errands.file(row).blocking_recv().unwrap().unwrap());
        let removal = Removal { call: filed.call, class: None, reason: "r".into() };
        let removed = desk.clerk.errands.remove(Removals {
            calls: vec![removal],
            at: Timestamp::now(),
            source: "/hotline/a".into(),
        });
        assert_eq!(removed.blocking_recv().unwrap().unwrap(), [filed.call]);
        desk.clerk.file(&filed);
        desk.clerk.settle_rows(0);
        assert_eq!(desk.count(), [0, 0]);
        assert!(
            !desk.data.join("recordings/2021-09-01").exists(),
            "neither the clear file nor the sealed one"
        );
        assert!(desk.rows(filed.call)[0].removed.is_some());
        desk.close();
    }
}
