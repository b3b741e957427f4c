//! How long prompts hold: none that callers hear is over, or not yet to be heard.

use jiff::civil::Date;

use super::super::prompts::{ManifestTable, PromptTable};
use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;
use super::calendars;
use super::sounds::in_use;
use crate::time::Timestamp;

/// So long before its last day a prompt is told of.
const SOON_DAYS: i32 = 30;

/// What is wrong with prompts at one time and not at another. It keeps no house from opening: whom nobody
/// answers is worse off than who hears an old greeting.
pub const RUN_OUT: [&str; 2] = ["E0512", "E0513"];

/// What is wrong with a plan by the date alone, and may come to be so while it is in force.
pub const DATED: [&str; 4] = ["E0512", "E0513", SOON, calendars::UNFILLED];

const SOON: &str = "W0501";

/// No prompt ends before it begins.
pub fn ends_after_it_begins(manifest: &ManifestTable, problems: &mut Problems) {
    for prompt in &manifest.prompts {
        let (Some(from), Some(until)) = (&prompt.valid_from, &prompt.valid_until) else { continue };
        if prompt.holds_some_day() {
            continue;
        }
        problems
            .error(
                "E0511",
                &until.spot,
                "提示音的 valid_until 早于 valid_from",
                "the prompt's valid_until is before its valid_from",
            )
            .effect("它在任何一天都不算有效", "it would hold on no day at all")
            .remedy("改正其中一个日期", "correct one of the dates")
            .related(&from.spot, "自此日起", "from this day");
    }
}

/// What callers can come to hear with this file is valid on the day of `now`, by the city's clock.
pub fn prompts_hold(table: &RoutingTable, manifest: &ManifestTable, now: Timestamp, problems: &mut Problems) {
    let zone = table.city.as_ref().and_then(|city| city.time_zone.as_ref());
    let Some(zone) = zone else { return };
    let today = zone.value.to_datetime(now).date();
    let used = in_use(table, Some(manifest));
    for prompt in &manifest.prompts {
        let Some(id) = prompt.id.as_ref().filter(|id| used.contains(&id.value)) else { continue };
        holds(&id.value, prompt, today, problems);
    }
}

fn holds(id: &str, prompt: &PromptTable, today: Date, problems: &mut Problems) {
    if let Some(from) = prompt.valid_from.as_ref().filter(|from| from.value > today) {
        let day = from.value;
        problems
            .error(
                "E0512",
                &from.spot,
                format!("提示音 {id} 自 {day} 起才有效"),
                format!("the prompt {id} is not valid before {day}"),
            )
            .effect("来电人会提前听到还不该播的内容", "callers would hear what is not to be told yet")
            .remedy(
                "换用现在有效的提示音，或改正 valid_from",
                "use a prompt that is valid now, or correct valid_from",
            );
    }
    let Some(until) = &prompt.valid_until else { return };
    if until.value < today {
        over(id, until, problems);
        return;
    }
    let days = today.until(until.value).map_or(i32::MAX, |span| span.get_days());
    if days <= SOON_DAYS {
        let day = until.value;
        problems
            .warning(
                SOON,
                &until.spot,
                format!("提示音 {id} 的有效期到 {day} 为止，还剩 {days} 天"),
                format!("the prompt {id} is valid until {day}, {days} days from now"),
            )
            .effect("过期后本文件不能再启用", "after that day the file cannot be put into use")
            .remedy(
                "及早录制新的，或经批准后延长 valid_until",
                "have a new one recorded in time, or have it approved again and extend valid_until",
            );
    }
}

fn over(id: &str, until: &Said<Date>, problems: &mut Problems) {
    let day = until.value;
    problems
        .error(
            "E0513",
            &until.spot,
            format!("提示音 {id} 已于 {day} 过期"),
            format!("the prompt {id} was valid until {day}"),
        )
        .effect("来电人会听到已经作废的内容", "callers would hear what does not hold any more")
        .remedy(
            "换成有效的录音，或经批准后延长 valid_until；已在运行的系统照常接听",
            "replace it, or have it approved again and extend valid_until; a running engine goes on as it is",
        );
}
