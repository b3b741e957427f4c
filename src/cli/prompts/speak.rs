//! Drafts: what a prompt says, spoken by espeak-ng until somebody has recorded it.

use std::process::Command;

use super::decode::decode;
use super::level::{self, EDGE_OF_FRAGMENTS};
use super::{pinyin, rate};
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
    /// The error, for what nobody speaks, where there are no words for it, and where the pinyin is wrong, is for
    /// the user, in both languages.
    pub fn of(prompt: &'p PromptTable) -> Result<Draft<'p>, String> {
        let class = prompt.class.as_ref().map_or(Class::Notice, |said| said.value);
        let pinyin = prompt.pinyin.as_ref().filter(|_| class.is_spoken());
        if let Some(pinyin) = pinyin {
            return match pinyin::fault(&pinyin.value) {
                Some(piece) => Err(format!(
                    "pinyin 中的 \"{piece}\" 不是带声调 1–5 的音节\n\
                     \"{piece}\" in its pinyin is no syllable with a tone from 1 to 5"
                )),
                None => Ok(Draft { voice: PINYIN, words: &pinyin.value, class }),
            };
        }
        let language = prompt.variant_of.as_ref().filter(|_| class.is_spoken() && !prompt.is_dialect);
        match (language, &prompt.text) {
            (Some((_, voice)), Some(words)) => Ok(Draft { voice, words: &words.value, class }),
            _ => {
                Err("没有 pinyin 可读，请录音后用 import\nno pinyin to speak from: record it and use import"
                    .to_owned())
            }
        }
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
