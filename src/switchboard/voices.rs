//! Which sound stands for which prompt, by the language of the line that was dialled.
//!
//! A call is given one map from prompts to sounds and knows of no languages.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::id::{LanguageId, PromptId};
use crate::media::order::SoundId;

/// Sounds by prompt.
pub(super) type Sounds = Arc<BTreeMap<PromptId, SoundId>>;

/// The plan's sounds, in each language that it has.
#[derive(Default)]
pub(super) struct Voices {
    plain: Sounds,
    by_language: BTreeMap<LanguageId, Sounds>,
}

impl Voices {
    /// Of a plan's prompts in the sound bank, variants among them.
    pub(super) fn new(sounds: Vec<(PromptId, SoundId)>) -> Self {
        let plain: BTreeMap<PromptId, SoundId> = sounds.into_iter().collect();
        let mut by_language: BTreeMap<LanguageId, BTreeMap<PromptId, SoundId>> = BTreeMap::new();
        for (id, sound) in &plain {
            if let Some((base, language)) = id.as_variant() {
                by_language.entry(language).or_insert_with(|| plain.clone()).insert(base, *sound);
            }
        }
        let by_language = by_language.into_iter().map(|(language, own)| (language, Arc::new(own))).collect();
        Voices { plain: Arc::new(plain), by_language }
    }

    /// One more sound, for callers of all lines.
    pub(super) fn insert(&mut self, prompt: &PromptId, sound: SoundId) {
        for sounds in self.by_language.values_mut().chain([&mut self.plain]) {
            Arc::make_mut(sounds).insert(prompt.clone(), sound);
        }
    }

    /// And no more.
    pub(super) fn remove(&mut self, prompt: &PromptId) {
        for sounds in self.by_language.values_mut().chain([&mut self.plain]) {
            Arc::make_mut(sounds).remove(prompt);
        }
    }

    /// What callers of a line with this language hear: the variant where there is one, else what all hear.
    pub(super) fn of(&self, language: Option<&LanguageId>) -> Sounds {
        language.and_then(|language| self.by_language.get(language)).unwrap_or(&self.plain).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_hears_its_language_where_there_is_a_variant_and_the_prompt_itself_elsewhere() {
        let ids = ["goodbye", "greeting", "greeting@en", "greeting@豫北", "survey@en", "survey"];
        let sounds = ids.into_iter().map(PromptId::from).zip((0..).map(SoundId)).collect();
        let voices = Voices::new(sounds);
        let heard = |language: Option<&str>, prompt: &str| {
            let language = language.map(LanguageId::from);
            let sound = voices.of(language.as_ref())[prompt];
            ids[sound.0 as usize]
        };
        for (language, prompt, expected) in [
            (None, "greeting", "greeting"),
            (None, "survey", "survey"),
            (Some("en"), "greeting", "greeting@en"),
            (Some("en"), "survey", "survey@en"),
            (Some("en"), "goodbye", "goodbye"),
            (Some("豫北"), "greeting", "greeting@豫北"),
            (Some("豫北"), "survey", "survey"),
            (Some("ru"), "greeting", "greeting"),
            (Some("en"), "greeting@豫北", "greeting@豫北"), // Named by a flow: that one and no other.
        ] {
            assert_eq!(heard(language, prompt), expected, "{language:?} {prompt}");
        }
    }
}
