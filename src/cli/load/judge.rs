//! Whether what was heard is what should be heard: by tone, or by correlation with a prompt.
//!
//! On a thread of its own that runs when nobody else wants to, so that judging disturbs nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use super::report::Sound;
use crate::io::affinity;
use crate::phone::listen;
use crate::phone::stream::Kept;

/// Samples that wait to be judged; what finds no place is not judged, and counted so.
const WAITING_MAX: usize = 512;
/// Tones to tell apart: one for each end of so many calls.
pub const TONES: usize = 256;
/// Judged: a second,
const JUDGED: usize = 8_000;
/// which ends so long before the end, where the call may have been falling apart, samples.
const END: usize = 1_000;
/// Kept for that.
pub const TONE_KEPT: usize = JUDGED + 2 * END;
/// A tone that is there, against full scale: it is played at -12.
const THERE_DB: f64 = -30.0;
/// Others are so much softer where they are not there.
const APART_DB: f64 = 10.0;
/// Softer than this is silence, rms in sample units.
const QUIET: f64 = 40.0;
/// Correlation of a prompt that is there.
const SCORE: f32 = 0.8;

/// The place of a tone in the table.
pub type Tone = usize;

/// The hertz of a tone.
pub fn hertz(tone: Tone) -> u32 {
    300 + 10 * (tone % TONES) as u32
}

/// A second of a tone, 12 dB below full scale; of whole hertz, it repeats without a click.
pub fn tone(tone: Tone) -> Vec<i16> {
    let turn = std::f64::consts::TAU * f64::from(hertz(tone)) / 8_000.0;
    (0..8_000).map(|n| (8_000.0 * (turn * f64::from(n)).sin()) as i16).collect()
}

/// What a leg should hear.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// All these tones, and no other.
    Tones(Vec<Tone>),
    /// The prompt.
    Prompt(Arc<[i16]>),
    /// Anything but silence.
    Sound,
    /// Nobody can say.
    Unknown,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    Right,
    Wrong,
    None,
    Unjudged,
}

/// Judges 8 kHz samples.
pub fn judge(wanted: &Wanted, heard: &[i16]) -> Finding {
    match wanted {
        Wanted::Unknown => Finding::Unjudged,
        Wanted::Prompt(prompt) => judge_prompt(prompt, heard),
        Wanted::Tones(tones) => judge_tones(tones, heard),
        Wanted::Sound => match heard.chunks_exact(JUDGED / 4).any(|part| listen::rms(part) > QUIET) {
            _ if heard.len() < JUDGED => Finding::Unjudged,
            true => Finding::Right,
            false => Finding::None,
        },
    }
}

fn judge_prompt(prompt: &[i16], heard: &[i16]) -> Finding {
    if heard.is_empty() || listen::rms(heard) < QUIET {
        return Finding::None;
    }
    // A call may end before its prompt does: then its beginning is looked for.
    let part = &prompt[..prompt.len().min(heard.len().saturating_sub(JUDGED / 2))];
    if part.len() < JUDGED && part.len() < prompt.len() {
        return Finding::Unjudged;
    }
    match listen::find_in_pieces(part, heard, 0) {
        Some(found) if found.score > SCORE => Finding::Right,
        _ => Finding::Wrong,
    }
}

fn judge_tones(tones: &[Tone], heard: &[i16]) -> Finding {
    let Some(end) = heard.len().checked_sub(END).filter(|end| *end >= JUDGED) else {
        // Too short to tell what it is, but silence is silence.
        return if heard.is_empty() { Finding::None } else { Finding::Unjudged };
    };
    let part = &heard[end - JUDGED..end];
    if listen::rms(part) < QUIET {
        return Finding::None;
    }
    let level = |tone: Tone| listen::tone_level(part, f64::from(hertz(tone)));
    let softest = tones.iter().map(|tone| level(*tone)).fold(0.0, f64::min);
    let others = (0..TONES).filter(|tone| !tones.iter().any(|wanted| wanted % TONES == *tone));
    let loudest = others.map(level).fold(-200.0, f64::max);
    if !tones.is_empty() && softest > THERE_DB && loudest < softest - APART_DB {
        Finding::Right
    } else {
        Finding::Wrong
    }
}

/// The bench, with its thread.
pub struct Bench {
    cases: SyncSender<Case>,
    thread: JoinHandle<(Verdicts, Receiver<Case>)>,
    /// The run is over: what waits is judged by who waits for it.
    closing: Arc<AtomicBool>,
    /// What found no place.
    refused: Verdicts,
}

/// `true`: of three who talk.
type Case = (Wanted, Kept, bool);

/// All verdicts, and among them those on three who talk together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verdicts {
    pub all: Sound,
    pub three: Sound,
}

impl Verdicts {
    fn enter(&mut self, (wanted, kept, three): &Case) {
        self.note(judge(wanted, &kept.samples()), *three);
    }

    fn add(&mut self, other: &Verdicts) {
        for (sound, other) in [(&mut self.all, other.all), (&mut self.three, other.three)] {
            sound.sampled += other.sampled;
            sound.right += other.right;
            sound.wrong += other.wrong;
            sound.none += other.none;
            sound.unjudged += other.unjudged;
        }
    }

    fn note(&mut self, finding: Finding, three: bool) {
        let sounds = [Some(&mut self.all), three.then_some(&mut self.three)];
        for sound in sounds.into_iter().flatten() {
            sound.sampled += 1;
            *match finding {
                Finding::Right => &mut sound.right,
                Finding::Wrong => &mut sound.wrong,
                Finding::None => &mut sound.none,
                Finding::Unjudged => &mut sound.unjudged,
            } += 1;
        }
    }
}

impl Bench {
    pub fn open() -> std::io::Result<Self> {
        let (cases, waiting) = sync_channel::<Case>(WAITING_MAX);
        let closing = Arc::new(AtomicBool::new(false));
        let closed = Arc::clone(&closing);
        let thread = std::thread::Builder::new().name("judge".into()).spawn(move || {
            let _ = affinity::go_last(); // A courtesy.
            let mut verdicts = Verdicts::default();
            while !closed.load(Ordering::Acquire)
                && let Ok(case) = waiting.recv()
            {
                verdicts.enter(&case);
            }
            (verdicts, waiting)
        })?;
        Ok(Bench { cases, thread, closing, refused: Verdicts::default() })
    }

    /// Never waits. `three`: it is one of three who talk.
    pub fn submit(&mut self, wanted: Wanted, kept: Kept, three: bool) {
        if let Err(TrySendError::Full(_)) = self.cases.try_send((wanted, kept, three)) {
            self.refused.note(Finding::Unjudged, three);
        }
    }

    /// Waits for the last verdict.
    pub fn close(self) -> Verdicts {
        self.closing.store(true, Ordering::Release);
        drop(self.cases);
        let mut verdicts = self.refused;
        if let Ok((judged, waiting)) = self.thread.join() {
            verdicts.add(&judged);
            waiting.iter().for_each(|case| verdicts.enter(&case));
        }
        verdicts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::Codec;

    fn heard(tones: &[Tone]) -> Vec<i16> {
        let sounds: Vec<Vec<i16>> = tones.iter().map(|number| tone(*number)).collect();
        let mixed: Vec<i16> = (0..12_000)
            .map(|n| sounds.iter().map(|sound| i32::from(sound[n % 8_000])).sum::<i32>() as i16)
            .collect();
        Codec::Pcma.round_trip(&mixed)
    }

    #[test]
    fn the_right_tone_is_told_from_another_from_two_and_from_none() {
        let wanted = Wanted::Tones(vec![17]);
        for (sound, finding) in [
            (heard(&[17]), Finding::Right),
            (heard(&[16]), Finding::Wrong),
            (heard(&[17, 200]), Finding::Wrong),
            (vec![0; 12_000], Finding::None),
            (vec![8; 12_000], Finding::None),
            (Vec::new(), Finding::None),
            (heard(&[17])[..4_000].to_vec(), Finding::Unjudged),
        ] {
            assert_eq!(judge(&wanted, &sound), finding);
        }
        assert_eq!(judge(&Wanted::Tones(vec![17, 18]), &heard(&[17, 18])), Finding::Right, "a meeting");
        assert_eq!(judge(&Wanted::Tones(vec![17, 18]), &heard(&[17])), Finding::Wrong);
    }

    #[test]
    fn the_right_prompt_is_told_from_another_and_from_silence() {
        let sweep = |from: f64, to: f64| -> Arc<[i16]> {
            let mut phase = 0.0;
            let samples = (0..16_000).map(|n| {
                phase += std::f64::consts::TAU * (from + (to - from) * f64::from(n) / 16_000.0) / 8_000.0;
                (9_000.0 * f64::sin(phase)) as i16
            });
            samples.collect()
        };
        let (prompt, other) = (sweep(300.0, 3_000.0), sweep(2_500.0, 400.0));
        let mut sound = vec![0; 3_000];
        sound.extend(Codec::Pcmu.round_trip(&prompt));
        assert_eq!(judge(&Wanted::Prompt(Arc::clone(&prompt)), &sound), Finding::Right);
        assert_eq!(judge(&Wanted::Prompt(other), &sound), Finding::Wrong);
        assert_eq!(
            judge(&Wanted::Prompt(Arc::clone(&prompt)), &sound[..14_000]),
            Finding::Right,
            "half of it"
        );
        assert_eq!(judge(&Wanted::Prompt(Arc::clone(&prompt)), &sound[..11_000]), Finding::Unjudged);
        assert_eq!(judge(&Wanted::Prompt(prompt), &[0; 20_000]), Finding::None);
        assert_eq!(judge(&Wanted::Sound, &sound), Finding::Right);
        assert_eq!(judge(&Wanted::Unknown, &sound), Finding::Unjudged);
    }

    #[test]
    fn the_bench_counts_its_verdicts() {
        let mut bench = Bench::open().unwrap();
        bench.submit(Wanted::Sound, Kept::first(10, Codec::Pcma), false);
        bench.submit(Wanted::Tones(vec![1]), Kept::last(10, Codec::Pcma), true);
        let Verdicts { all, three } = bench.close();
        assert_eq!((all.sampled, all.unjudged, all.none), (2, 1, 1));
        assert_eq!((three.sampled, three.unjudged, three.none), (1, 0, 1));
    }
}
