//! Words: a prompt or a case that goes by a value is for something that the value can say.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::nearest::nearest;
use super::super::super::source::{Problems, Said};
use super::super::super::tables::script::{ActTable, PieceTable};

/// What a value may say, by where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Says {
    /// What another program or a file says.
    Anything,
    /// Keys that a caller pressed, and how many.
    Digits {
        /// Fewest.
        least: u8,
        /// Most.
        most: u8,
    },
    /// One of these.
    Words(&'static [&'static str]),
}

impl Says {
    fn can_be(self, word: &str) -> bool {
        match self {
            Says::Anything => true,
            Says::Digits { least, most } => {
                word.bytes().all(|byte| byte.is_ascii_digit())
                    && (usize::from(least)..=usize::from(most)).contains(&word.len())
            }
            Says::Words(words) => words.contains(&word),
        }
    }

    /// For whoever wrote another word.
    fn described(self) -> (String, String) {
        match self {
            Says::Anything => ("任何文字".to_owned(), "any text".to_owned()),
            Says::Digits { least, most } if least == most => {
                (format!("{least} 位数字"), format!("{least} digits"))
            }
            Says::Digits { least, most } => {
                (format!("{least} 到 {most} 位数字"), format!("{least} to {most} digits"))
            }
            Says::Words(words) => (words.join(", "), words.join(", ")),
        }
    }
}

/// Each word by which a step goes can be what the value says there. Of a value that is not there at all, that is said.
pub fn words(written: &ActTable, known: &BTreeMap<String, BTreeSet<Says>>, problems: &mut Problems) {
    for (value, word) in gone_by(written) {
        let Some(says) = known.get(&value.value) else { continue };
        if !says.iter().any(|says| says.can_be(&word.value)) {
            never_said(value, word, says, problems);
        }
    }
}

/// Values by which the step goes one way or another, with each word for which it does.
fn gone_by(written: &ActTable) -> Vec<(&Said<String>, &Said<String>)> {
    match written {
        ActTable::Say(pieces) => {
            let pieces = pieces.iter().flat_map(|pieces| &pieces.value);
            let choices = pieces.filter_map(|piece| match &piece.value {
                PieceTable::Choice { name, prompts, .. } => Some((name, &prompts.0)),
                PieceTable::Prompt(_) | PieceTable::Value { .. } => None,
            });
            choices.flat_map(|(name, prompts)| prompts.iter().map(move |(word, _)| (name, word))).collect()
        }
        ActTable::Branch(branch) => {
            let cases =
                branch.cases.iter().filter_map(|case| Some((case.value.as_ref()?, case.is.as_ref()?)));
            cases.flat_map(|(name, is)| is.value.iter().map(move |word| (name, word))).collect()
        }
        _ => Vec::new(),
    }
}

fn never_said(value: &Said<String>, word: &Said<String>, says: &BTreeSet<Says>, problems: &mut Problems) {
    let (zh, en): (Vec<String>, Vec<String>) = says.iter().map(|says| says.described()).unzip();
    let known = says.iter().flat_map(|says| match says {
        Says::Words(words) => *words,
        Says::Anything | Says::Digits { .. } => &[],
    });
    problems
        .error(
            "E1030",
            &word.spot,
            format!("\"{}\" 从来不会是 \"{}\"", value.value, word.value),
            format!("\"{}\" never says \"{}\"", value.value, word.value),
        )
        .effect(
            "为它写的提示音或去处永远轮不到，来电人听到的、走到的是别的",
            "what is meant for it never comes: those callers hear, or are led to, what is for others",
        )
        .remedy(
            format!("它在这里只会是: {}", zh.join("；")),
            format!("here it says one of these: {}", en.join("; ")),
        )
        .nearest(nearest(&word.value, known.copied()));
}
