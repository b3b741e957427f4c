//! What is in a sound: prompts by correlation, voices by their tones.

use crate::phone::listen;

/// Samples of one look for a tone: 200 ms, in which voices that lie 5 Hz apart are told apart.
pub const LOOK: usize = 1_600;
/// A voice is there above this, in dB below full scale; it is sent at -18.
const THERE_DB: f64 = -26.0;
/// A prompt is found above this score.
pub const FOUND: f32 = 0.8;
/// Two different prompts score below this.
pub const ALIKE: f32 = 0.5;
/// Looks that a voice must be heard in: a second.
const LOOKS_MIN: usize = 5;
/// Another's voice in so many looks is no chance.
const CROSSED_MIN: usize = 3;
/// How much later than expected a prompt may begin, samples.
const LATE_MAX: usize = 4 * 8_000;
/// How far two recordings of one call lie apart, samples.
const SHIFT_MAX: usize = 2 * 8_000;
/// So much of a prompt tells it from any other, samples.
const TELLING: usize = 2 * 8_000;

/// One prompt to be found, by the name it has in the table.
#[derive(Clone)]
pub struct Wanted {
    /// Its name in the table.
    pub name: &'static str,
    /// Its sound.
    pub sound: Vec<i16>,
    /// Right after the one before it, rather than at any time later.
    pub at_once: bool,
}

/// Finds prompts one after another: where each begins, `None` for one that is not there.
pub fn prompts(wanted: &[Wanted], sound: &[i16]) -> Vec<Option<usize>> {
    let mut from = 0;
    let mut found = Vec::new();
    for prompt in wanted {
        let end = match prompt.at_once {
            true => sound.len().min(from + prompt.sound.len() + LATE_MAX),
            false => sound.len(),
        };
        let at = find(&prompt.sound, &sound[..end], from);
        from = at.map_or(from, |at| (at + prompt.sound.len()).min(sound.len()));
        found.push(at);
    }
    found
}

/// The same in another recording of the same call, near the places where they were found.
pub fn prompts_again(wanted: &[Wanted], places: &[Option<usize>], sound: &[i16]) -> Vec<bool> {
    let near = |(prompt, place): (&Wanted, &Option<usize>)| {
        let Some(place) = *place else { return find(&prompt.sound, sound, 0).is_some() };
        let from = place.saturating_sub(SHIFT_MAX);
        let end = sound.len().min(place + prompt.sound.len() + SHIFT_MAX);
        sound.get(..end).is_some_and(|sound| find(&prompt.sound, sound, from).is_some())
    };
    wanted.iter().zip(places).map(near).collect()
}

fn find(prompt: &[i16], sound: &[i16], from: usize) -> Option<usize> {
    let found = listen::find_in_pieces(prompt, sound, from).filter(|found| found.score > FOUND)?;
    Some(found.at_sample)
}

/// Whether a prompt is begun at the beginning of `sound`, where it must not be.
pub fn begins_with(prompt: &[i16], sound: &[i16]) -> bool {
    let prompt = &prompt[..prompt.len().min(TELLING)];
    let end = sound.len().min(prompt.len() + LATE_MAX);
    listen::find(prompt, &sound[..end], 0).is_some_and(|found| found.score > ALIKE)
}

/// Whether a voice is in a stretch of sound.
pub fn is_there(voice: u32, stretch: &[i16]) -> bool {
    listen::tone_level(stretch, f64::from(voice)) > THERE_DB
}

/// Looks for one voice, and for those of all the others beside it.
#[derive(Debug, PartialEq, Eq)]
pub enum Voice {
    /// Heard, and nobody else with it.
    Heard,
    /// Not heard for a second, but perhaps somebody else.
    Missing {
        /// Whose voice was heard in its place, hertz.
        instead: Option<u32>,
    },
    /// Heard together with another's, hertz.
    Crossed(u32),
}

/// Listens for `voice` in `sound`.
pub fn voice(voice: u32, others: &[u32], sound: &[i16]) -> Voice {
    let (with, without): (Vec<_>, Vec<_>) = sound.chunks_exact(LOOK).partition(|look| is_there(voice, look));
    let heard_in = |other: u32, looks: &[&[i16]]| {
        other != voice && looks.iter().filter(|look| is_there(other, look)).count() >= CROSSED_MIN
    };
    let other = |looks: &[&[i16]]| others.iter().copied().find(|other| heard_in(*other, looks));
    if with.len() < LOOKS_MIN {
        return Voice::Missing { instead: other(&without) };
    }
    other(&with).map_or(Voice::Heard, Voice::Crossed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sounds::tone;
    use crate::phone::Codec;

    fn mixed(voices: &[u32], seconds: usize) -> Vec<i16> {
        let tones: Vec<_> = voices.iter().map(|hertz| tone(*hertz)).collect();
        let line: Vec<i16> =
            (0..seconds * 8_000).map(|n| tones.iter().map(|tone| tone[n % 8_000]).sum()).collect();
        Codec::Pcma.round_trip(&line)
    }

    #[test]
    fn a_voice_is_told_from_its_neighbours_a_missing_one_and_a_crossed_one() {
        let all = [500, 540, 580, 1_900];
        assert_eq!(voice(540, &all, &mixed(&[540], 3)), Voice::Heard);
        assert_eq!(voice(540, &all, &mixed(&[580], 3)), Voice::Missing { instead: Some(580) });
        assert_eq!(voice(540, &all, &mixed(&[], 3)), Voice::Missing { instead: None });
        assert_eq!(voice(540, &all, &mixed(&[540, 1_900], 3)), Voice::Crossed(1_900));
        assert_eq!(voice(540, &all, &mixed(&[540], 3)[..6_000]), Voice::Missing { instead: None });
    }
}
