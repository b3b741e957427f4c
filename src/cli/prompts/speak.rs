//! Drafts: what a prompt says, spoken by espeak-ng until somebody has recorded it.

use std::process::Command;

use super::decode::decode;
use super::level::{self, EDGE_OF_FRAGMENTS};
use super::rate;
use crate::routing::prompts::{Class, PromptTable};

/// Reads pinyin with tone digits; espeak-ng's own reading of characters takes many for others.
const PINYIN: &str = "cmn-latn-pinyin";

/// How a draft is asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Draft<'p> {
    /// espeak-ng's voice.
    voice: &'p str,
    /// What it reads.
    words: &'p str,
    class: Class,
}

/// Words a minute. A greeting has 5 s; single fragments are said slowly, and what tells a caller which key to press
/// or to wait is not hurried.
fn pace(class: Class) -> &'static str {
    match class {
        Class::Greeting => "218",
        Class::Fragment => "130",
        Class::Announcement => "160",
        Class::Queue => "155",
        Class::Survey => "175",
        Class::Transition => "185",
        Class::Notice | Class::Tone | Class::Music | Class::Bench => "170",
    }
}

impl<'p> Draft<'p> {
    /// What espeak-ng would be given: the pinyin, or the text of a variant in a language that it has a voice for.
    /// `None` for what nobody speaks, and where there are no words for it.
    pub fn of(prompt: &'p PromptTable) -> Option<Draft<'p>> {
        let class = prompt.class.as_ref().map_or(Class::Notice, |said| said.value);
        if !class.is_spoken() {
            return None;
        }
        if let Some(pinyin) = &prompt.pinyin {
            return Some(Draft { voice: PINYIN, words: &pinyin.value, class });
        }
        let (_, language) = prompt.variant_of.as_ref().filter(|_| !prompt.is_dialect)?;
        let words = &prompt.text.as_ref()?.value;
        Some(Draft { voice: language, words, class })
    }

    /// Speaks: a WAV file of 8 kHz, levelled. The error is for the user, in both languages.
    pub fn speak(&self) -> Result<Vec<u8>, String> {
        let done = Command::new("espeak-ng")
            .args(["-v", self.voice, "-s", pace(self.class), "--stdout", "--", self.words])
            .output()
            .map_err(|error| {
                let install = "apt install espeak-ng";
                format!("不能运行 espeak-ng: {error}（{install}）\ncannot run espeak-ng: {error} ({install})")
            })?;
        let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        if !done.status.success() {
            return Err(format!("espeak-ng 失败: {said}\nespeak-ng failed: {said}"));
        }
        let recording = decode(done.stdout)?;
        let mut samples = rate::to_telephone(&recording.samples, recording.rate);
        rate::high_pass(&mut samples);
        let made = level::finish(samples, self.class, EDGE_OF_FRAGMENTS)
            .map_err(|_| "espeak-ng 什么也没说\nespeak-ng said nothing".to_owned())?;
        level::wav(&made).map_err(|error| format!("{error}\n{error}"))
    }
}
