//! What somebody writes down who is read a number: the words of a sound, one after another.

use std::sync::Arc;

use super::hear::FOUND;
use crate::id::PromptId;
use crate::phone::listen;
use crate::routing::Plan;
use crate::routing::speech;

/// A word may begin so much later than the one before it ends, samples: a fifth of a second.
const LATE_MAX: usize = 1_600;
/// And so much earlier, where the end of the one before is silent.
const EARLY_MAX: usize = 400;
/// So much of a word tells it from any other, samples: a quarter of a second.
const TELLING: usize = 2_000;
/// Above this score it is the word, whatever others there are.
const SURE: f32 = 0.9;
/// No number, and no sentence of a flow's, has more words.
const WORDS_MAX: usize = 64;

/// The words that are known by their sound.
pub struct Dictation {
    words: Vec<(PromptId, Arc<[i16]>)>,
}

impl Dictation {
    /// With all digits, and these words.
    pub fn of<'a>(plan: &Plan, more: impl IntoIterator<Item = &'a str>) -> Self {
        let digits = speech::digits("0123456789").into_iter().chain([PromptId::from("digit_1")]);
        let more = more.into_iter().map(PromptId::from);
        let known = digits.chain(more).filter_map(|id| {
            let samples = plan.prompts.get(&id)?.samples.clone();
            Some((id, samples))
        });
        Dictation { words: known.collect() }
    }

    /// The words that follow one another from a place in the sound on, to the first that is none of those.
    pub fn take(&self, sound: &[i16], mut from: usize) -> Vec<PromptId> {
        let mut taken = Vec::new();
        while taken.len() < WORDS_MAX {
            let Some((word, end)) = self.next(sound, from) else { break };
            taken.push(word.clone());
            from = end;
        }
        taken
    }

    /// The word at a place, and where it ends: of all, the one that fits best.
    fn next(&self, sound: &[i16], from: usize) -> Option<(&PromptId, usize)> {
        let begin = from.saturating_sub(EARLY_MAX);
        let mut best: Option<(&PromptId, usize, f32)> = None;
        for (id, samples) in &self.words {
            let telling = &samples[..samples.len().min(TELLING)];
            let end = sound.len().min(from + telling.len() + LATE_MAX);
            let Some(found) = listen::find(telling, sound.get(..end)?, begin) else { continue };
            if found.score > best.map_or(FOUND, |best| best.2) {
                best = Some((id, found.at_sample + samples.len(), found.score));
            }
            if found.score > SURE {
                break;
            }
        }
        best.map(|(id, end, _)| (id, end))
    }
}

/// The number that was read digit by digit; `None`: other words are among them.
pub fn number(words: &[PromptId]) -> Option<String> {
    let digits = "0123456789";
    let digit =
        |word: &PromptId| digits.chars().find(|digit| speech::digits(&digit.to_string()) == [word.clone()]);
    words.iter().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::io::plan_files;
    use crate::phone::Codec;
    use crate::routing::Overrides;

    #[test]
    fn a_number_that_is_read_out_is_written_down_and_nothing_behind_it() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
        let plan = plan_files::load(&file, &Overrides::default()).plan.unwrap();
        let dictation = Dictation::of(&plan, []);
        let said = speech::digits("21090100033").into_iter().chain(["goodbye".into()]);
        let sound = |id: PromptId| plan.prompts[&id].samples.to_vec();
        let mut line = vec![3; 1_000];
        line.extend(said.flat_map(|id| [sound(id), vec![5; 300]].concat()));
        let words = dictation.take(&Codec::Pcma.round_trip(&line), 900);
        assert_eq!(number(&words).as_deref(), Some("21090100033"));
        assert_eq!(dictation.take(&line, line.len() - 4_000), []);
        assert_eq!(number(&["goodbye".into()]), None);
    }
}
