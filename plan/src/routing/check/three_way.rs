//! Rules of three-way calls: nobody is cut off unseen, and a tone is no announcement.

use std::collections::BTreeMap;

use super::super::plan::Prompt;
use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;
use super::super::three_way::{ClerkLeaves, TONE_MAX, Tones};
use crate::id::PromptId;

/// What the file says of tones.
pub fn tones(table: &RoutingTable) -> Option<&Said<Tones>> {
    table.three_way.as_ref().and_then(|three_way| three_way.tones.as_ref())
}

/// Where the call ends with the clerk, callers lose whom they were put through to (S28: 三方转接).
pub fn leaving(table: &RoutingTable, problems: &mut Problems) {
    let rule = table.three_way.as_ref().and_then(|three_way| three_way.clerk_leaves.as_ref());
    let Some(ends) = rule.filter(|said| said.value == ClerkLeaves::End && table.is_live()) else { return };
    problems
        .warning(
            "W1901",
            &ends.spot,
            "座席一离开三方通话，来电人与第三方的通话就结束",
            "as soon as the clerk leaves three who talk, the caller loses the third party",
        )
        .effect(
            "专家或分中心还在解答，来电人已被挂断；110 等紧急热线除外",
            "callers would be cut off while a sub-center or an expert still answers them; emergency help is not cut off",
        )
        .remedy(
            "写 \"keep\"；确要座席守到最后，就留着 \"end\"",
            "write \"keep\", unless clerks are meant to stay until the end: then leave \"end\"",
        );
}

/// Nobody hears anybody while a tone is played.
pub fn tones_are_short(table: &RoutingTable, decoded: &BTreeMap<PromptId, Prompt>, problems: &mut Problems) {
    let Some(said) = tones(table) else { return };
    for id in [said.value.of_joining(), said.value.of_leaving()].into_iter().flatten() {
        let length = decoded.get(id).map(Prompt::length).unwrap_or_default();
        if length <= TONE_MAX {
            continue;
        }
        let seconds = length.as_secs_f64();
        problems
            .warning(
                "W1902",
                &said.spot,
                format!("提示短音 {id} 长 {seconds:.1} 秒，超过 1 秒"),
                format!("the tone {id} lasts {seconds:.1} s, more than 1 s"),
            )
            .effect(
                "放音时各方互相听不见，正在说的话会被打断",
                "while it is played nobody hears anybody: what is being said is cut",
            )
            .remedy("换一个更短的录音，或写 tones = \"none\"", "make it shorter, or write tones = \"none\"");
    }
}
