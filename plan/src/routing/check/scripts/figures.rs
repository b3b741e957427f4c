//! Waits, lengths and numbers of tries that make sense of a step.

use std::time::Duration;

use super::super::super::source::{Problems, Said};
use super::super::super::tables::Field;
use super::super::super::tables::script::{ActTable, CollectTable, MessageTable};
use super::super::super::values::out_of_range;

/// Most digits of one value.
const DIGITS_MAX: u16 = u8::MAX as u16;
/// Nobody is waited for longer, key by key.
const KEY_WAIT_MAX: Duration = Duration::from_secs(60);
/// Longest message.
const MESSAGE_MAX: Duration = Duration::from_secs(600);
/// Nobody is asked more often.
const TRIES_MAX: u8 = 5;

/// Each figure of the step is in its range.
pub fn figures(act: &ActTable, problems: &mut Problems) {
    match act {
        ActTable::Menu(menu) => {
            key_wait(&menu.wait, problems);
            tries(&menu.tries, problems);
        }
        ActTable::Collect(own) => {
            key_wait(&own.wait, problems);
            tries(&own.tries, problems);
            digits(own, problems);
        }
        ActTable::Message(own) => {
            tries(&own.tries, problems);
            message(own, problems);
        }
        _ => {}
    }
}

fn key_wait(said: &Field<Duration>, problems: &mut Problems) {
    if let Some(said) = said.as_ref().filter(|said| said.value.is_zero() || said.value > KEY_WAIT_MAX) {
        out_of_range(&said.spot, "\"1ms\"–\"60s\"", problems);
    }
}

fn tries(said: &Field<u8>, problems: &mut Problems) {
    if let Some(said) = said.as_ref().filter(|said| !(1..=TRIES_MAX).contains(&said.value)) {
        out_of_range(&said.spot, &format!("1–{TRIES_MAX}"), problems);
    }
}

fn digits(own: &CollectTable, problems: &mut Problems) {
    for said in [&own.least, &own.most].into_iter().flatten() {
        if !(1..=DIGITS_MAX).contains(&said.value) {
            out_of_range(&said.spot, &format!("1–{DIGITS_MAX}"), problems);
            return;
        }
    }
    let (Some(least), Some(most)) = (&own.least, &own.most) else { return };
    if most.value < least.value {
        crossed(most, &format!("{} 位", least.value), &format!("{} digits", least.value), problems).related(
            &least.spot,
            "至少",
            "the fewest",
        );
    }
}

fn message(own: &MessageTable, problems: &mut Problems) {
    let Some(most) = &own.most else { return };
    if most.value.is_zero() || most.value > MESSAGE_MAX {
        out_of_range(&most.spot, "\"1ms\"–\"10min\"", problems);
        return;
    }
    let Some(least) = own.least.as_ref().filter(|least| least.value >= most.value) else { return };
    let millis = least.value.as_millis();
    crossed(most, &format!("{millis} 毫秒"), &format!("{millis} ms"), problems).related(
        &least.spot,
        "至少",
        "the least",
    );
}

/// The most is less than the least.
fn crossed<'p, T>(
    most: &Said<T>,
    zh: &str,
    en: &str,
    problems: &'p mut Problems,
) -> &'p mut super::super::super::diagnostic::Diagnostic {
    problems
        .error(
            "E1016",
            &most.spot,
            format!("most 不够 least 的 {zh}"),
            format!("most is not as much as the {en} of least"),
        )
        .effect(
            "来电人怎样输入、怎样说都不算，最后转人工",
            "whatever callers give would be too little, until a person takes over",
        )
        .remedy("most 不小于 least；不写 least 也可以", "make most no less than least, or leave least out")
}
