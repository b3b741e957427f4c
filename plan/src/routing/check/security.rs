//! Whether the brakes of `[security]` still brake, and let those pass who have to.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;
use super::super::written::duration;

/// A telephone tries a wrong password twice of its own accord, and its user once more.
const GUESSES: RangeInclusive<u32> = 3..=50;
/// Whom a mistake has shut out is let in again within the hour.
const GUESS_SPAN: RangeInclusive<Duration> = secs(30)..=secs(3_600);
/// As with [`GUESSES`].
const WRONG_TOKENS: RangeInclusive<u32> = 3..=50;
/// As with [`GUESS_SPAN`].
const WRONG_TOKEN_EVERY: RangeInclusive<Duration> = secs(1)..=secs(3_600);
/// A telephone that comes back sends half a dozen; at most, some thousands do so from one address.
const AT_ONCE: RangeInclusive<u32> = 50..=20_000;
/// At most a small part of what a core reads.
const PER_SECOND: RangeInclusive<u32> = 10..=2_000;

/// 中文 and English.
type Words = [&'static str; 2];

const GUESSED: Words = [
    "再放宽，别人就可以一直猜下去；这道限制不能关",
    "wider than that, others could go on guessing: this brake cannot be taken off",
];
const SHUT_OUT: Words = [
    "再收紧，输错一两次，或同一地址后面有一台设置错的，自己人就进不来",
    "narrower than that, a slip or two, or one wrong device behind their address, would shut one's own people out",
];
const FLOODED: Words = [
    "再放宽，一个陌生地址的垃圾信令就能占住引擎；这道限制不能关",
    "wider than that, one stranger's flood could keep the engine busy: this brake cannot be taken off",
];
const UNHEARD: Words = [
    "再收紧，停电恢复后，同一地址后面的话机登记不上",
    "narrower than that, telephones behind one address would not get back in after a power cut",
];

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn security(table: &RoutingTable, problems: &mut Problems) {
    let Some(own) = &table.security else { return };
    count(&own.guesses, GUESSES, (SHUT_OUT, GUESSED), problems);
    span(&own.guess_span, GUESS_SPAN, problems);
    count(&own.wrong_tokens, WRONG_TOKENS, (SHUT_OUT, GUESSED), problems);
    span(&own.wrong_token_every, WRONG_TOKEN_EVERY, problems);
    count(&own.messages_at_once, AT_ONCE, (UNHEARD, FLOODED), problems);
    count(&own.messages_per_second, PER_SECOND, (UNHEARD, FLOODED), problems);
}

/// `effects`: what comes of fewer, and of more.
fn count(
    said: &Option<Said<u32>>,
    range: RangeInclusive<u32>,
    effects: (Words, Words),
    problems: &mut Problems,
) {
    let Some(said) = said.as_ref().filter(|said| !range.contains(&said.value)) else { return };
    let effect = if said.value < *range.start() { effects.0 } else { effects.1 };
    refuse(said, &format!("{}–{}", range.start(), range.end()), effect, problems);
}

/// The longer, the narrower.
fn span(said: &Option<Said<Duration>>, range: RangeInclusive<Duration>, problems: &mut Problems) {
    let Some(said) = said.as_ref().filter(|said| !range.contains(&said.value)) else { return };
    let effect = if said.value < *range.start() { GUESSED } else { SHUT_OUT };
    let [least, most] = [range.start(), range.end()].map(|bound| duration(*bound));
    refuse(said, &format!("\"{least}\"–\"{most}\""), effect, problems);
}

fn refuse<T>(said: &Said<T>, range: &str, [zh, en]: Words, problems: &mut Problems) {
    let key = &said.spot.key;
    problems
        .error("E1920", &said.spot, format!("{key} 应在 {range} 之间"), format!("{key} has to be in {range}"))
        .effect(zh, en)
        .remedy(format!("改为 {range} 之间的值"), format!("give a value in {range}"));
}
