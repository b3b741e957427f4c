//! Aliases of numbers, and the days on which numbers are in use: an alias is nobody else's number, and days agree with
//! one another, with the mode, and with the transition.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::diagnostic::Spot;
use super::super::source::{Problems, Said};
use super::super::tables::{AfterwardsWord, ModeWord, NumberTable, RoutingTable};
use super::super::transition;
use super::references::Seen;
use super::{EMERGENCY, lines};

/// So many aliases a number has at most.
const ALIASES_MAX: usize = 32;

/// Each alias well formed, and a number that nothing else in the plan has.
pub fn aliases(table: &RoutingTable, problems: &mut Problems) {
    let mut seen = Seen::default();
    let numbers = table.numbers.iter().filter_map(|line| line.number.as_ref());
    let peers = table.emergencies.iter().filter_map(|peer| peer.number.as_ref());
    let departments = table.asked().filter_map(|department| department.number.as_ref());
    let seats = table.seats.iter().filter_map(|seat| seat.id.as_ref());
    for said in numbers.chain(peers.clone()).chain(departments).chain(seats) {
        seen.before(said);
    }
    let mut cancelled = Seen::default();
    let retired = table.retired.as_ref().and_then(|retired| retired.numbers.as_ref());
    for said in retired.iter().flat_map(|said| &said.value) {
        cancelled.before(said);
    }
    for line in &table.numbers {
        if let Some(said) = line.aliases.as_ref().filter(|said| said.value.len() > ALIASES_MAX) {
            super::super::values::out_of_range(&said.spot, &format!("0–{ALIASES_MAX}"), problems);
        }
        for alias in line.also() {
            let said = &alias.number;
            lines::well_formed(said, problems);
            let peer = peers.clone().find(|peer| peer.value == said.value);
            if peer.is_some() || EMERGENCY.contains(&said.value.as_str()) {
                emergency(said, peer.map(|peer| &peer.spot), problems);
            } else if let Some(named) = cancelled.first(said) {
                cancelled_alias(said, named, problems);
            } else if let Some(earlier) = seen.before(said) {
                clash(said, earlier, problems);
            }
            if let (Some(own), Some(whole)) = (&alias.until, &line.until)
                && own.value > whole.value
            {
                outlives(own, &whole.spot, problems);
            }
        }
    }
}

fn clash(said: &Said<String>, earlier: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E1801",
            &said.spot,
            format!("别名 {} 已是方案里的另一个号码", said.value),
            format!("the alias {} is another number of the plan already", said.value),
        )
        .effect(
            "同一个号码有两个去处，拨打它的人会接错地方",
            "one number would lead to two places, and who dials it could come to the wrong one",
        )
        .remedy("只在一处写这个号码", "say this number in one place only")
        .related(earlier, "另一处", "the other place");
}

fn emergency(said: &Said<String>, peer: Option<&Spot>, problems: &mut Problems) {
    let noted = problems
        .error(
            "E1802",
            &said.spot,
            format!("{} 是紧急热线，不能作别名", said.value),
            format!("{} is an emergency number and cannot be an alias", said.value),
        )
        .effect(
            "拨打紧急热线的市民会被接到 12345 排队，可能危及生命",
            "people who dial it would wait in a queue of 12345, which can cost a life",
        )
        .remedy("从 aliases 里删去它", "remove it from aliases");
    if let Some(peer) = peer {
        noted.related(peer, "紧急热线", "emergency peer");
    }
}

fn cancelled_alias(said: &Said<String>, named: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E1803",
            &said.spot,
            format!("别名 {} 是已取消的号码", said.value),
            format!("the alias {} is a number that was cancelled", said.value),
        )
        .effect(
            "已取消的号码借别名悄悄恢复，台账里没有理由和批准人",
            "a cancelled number would come back as an alias, and the ledger would know neither why nor by whom",
        )
        .remedy(
            "从 aliases 里删去它；确经批准恢复的，单独写 [[number]] 和 restored",
            "remove it from aliases; where it was decided that it comes back, it is a [[number]] of its own with restored",
        )
        .related(named, "取消", "cancelled");
}

fn outlives(own: &Said<Date>, whole: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E1804",
            &own.spot,
            format!("别名用到 {}，号码本身已停用", own.value),
            format!("the alias lasts until {}, when the number itself is over", own.value),
        )
        .effect(
            "号码停用之后，拨别名的来电同样被拒绝，写的日期不会生效",
            "callers of the alias are refused with the number's own: the day that is written has no effect",
        )
        .remedy(
            "写不晚于号码 until 的日期，或删去它",
            "give a day no later than the number's until, or remove it",
        )
        .related(whole, "号码的停用日", "the number's last day");
}

/// `from` and `until` in their order, where the mode lets a number begin and end, and around the transition.
pub fn days(table: &RoutingTable, problems: &mut Problems) {
    for line in &table.numbers {
        if let (Some(from), Some(until)) = (&line.from, &line.until)
            && from.value > until.value
        {
            backwards(from, until, problems);
            continue;
        }
        let Some(mode) = &line.mode else { continue };
        match (mode.value, &line.until) {
            (ModeWord::Primary, Some(until)) => ends_the_hotline(until, problems),
            (ModeWord::Dual | ModeWord::SubCenter, Some(until)) if table.is_live() => {
                ends_untold(line, until, problems);
            }
            (ModeWord::Merged, _) => around_the_transition(table, line, problems),
            _ => {}
        }
    }
}

fn backwards(from: &Said<Date>, until: &Said<Date>, problems: &mut Problems) {
    problems
        .error(
            "E1805",
            &until.spot,
            format!("until {} 早于 from {}", until.value, from.value),
            format!("until {} is before from {}", until.value, from.value),
        )
        .effect("这个号码一天也打不通", "the number would be answered on no day at all")
        .remedy("改正其中一个日期", "correct one of the days")
        .related(&from.spot, "启用日", "the first day");
}

fn ends_the_hotline(until: &Said<Date>, problems: &mut Problems) {
    problems
        .error("E1806", &until.spot, "12345 不能写停用日", "12345 cannot have a last day")
        .effect(
            "那天之后市民打不通 12345，归并进来的各条热线也随之落空",
            "nobody could reach 12345 after that day, and all that was merged into it would lead nowhere",
        )
        .remedy("删去 until", "remove until");
}

/// The notice has callers of a cancelled number told for months; a dual number or a sub-center's just ends.
fn ends_untold(line: &NumberTable, until: &Said<Date>, problems: &mut Problems) {
    let number = line.number.as_ref().map_or("?", |said| said.value.as_str());
    problems
        .warning(
            "W1801",
            &until.spot,
            format!("{number} 到 {} 为止，没有过渡期提示", until.value),
            format!("{number} ends on {} without a transition", until.value),
        )
        .effect(
            "次日零时起拨打它的市民直接被拒绝（410），没有人告诉他们改拨 12345；方案要求取消号码先播三个月提示",
            "from the next midnight its callers are refused (410), and nobody has told them of 12345; the notice has a cancelled number tell its callers for three months",
        )
        .remedy(
            "取消号码写 mode = \"merged\" 和 transition；确定直接停用的可以保留这一行",
            "to cancel a number write mode = \"merged\" with a transition; where it is to end just so, keep the line",
        );
}

/// A merged number's months are `transition`'s: its days lie around them, and say nothing else.
fn around_the_transition(table: &RoutingTable, line: &NumberTable, problems: &mut Problems) {
    let (own, whole) = (line.transition.as_ref(), table.transition.as_ref());
    let start = own.and_then(|own| own.start.as_ref()).or_else(|| whole.and_then(|own| own.start.as_ref()));
    let months =
        own.and_then(|own| own.months.as_ref()).or_else(|| whole.and_then(|own| own.months.as_ref()));
    let afterwards =
        own.and_then(|own| own.afterwards.as_ref()).or_else(|| whole.and_then(|own| own.afterwards.as_ref()));
    let Some(start) = start else { return };
    if let Some(from) = line.from.as_ref().filter(|from| from.value > start.value) {
        contradicts(
            from,
            (
                &format!("启用日 {} 晚于过渡期首日 {}", from.value, start.value),
                &format!("its first day {} is after the transition's, {}", from.value, start.value),
            ),
            &start.spot,
            problems,
        );
    }
    let Some(until) = &line.until else { return };
    let released = afterwards.is_some_and(|said| said.value == AfterwardsWord::Release);
    if released {
        return ended_already(until, afterwards.map_or(&start.spot, |said| &said.spot), problems);
    }
    // A length out of bounds has an error of its own.
    let over = months.and_then(|months| transition::first_day_after(start.value, months.value));
    if over.is_some_and(|over| until.value.tomorrow().is_ok_and(|next| next < over)) {
        contradicts(
            until,
            (
                &format!("停用日 {} 在过渡期结束之前", until.value),
                &format!("its last day {} is before the transition's end", until.value),
            ),
            months.map_or(&start.spot, |said| &said.spot),
            problems,
        );
    }
}

fn ended_already(until: &Said<Date>, afterwards: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E1807",
            &until.spot,
            format!("afterwards = \"release\" 已经停用它，until {} 不会生效", until.value),
            format!("afterwards = \"release\" ends it already: until {} has no effect", until.value),
        )
        .effect(
            "过渡期满号码就停用了，写的日期不会生效，而没有人会察觉",
            "the number ends with the months: the day that is written has no effect, and nobody would notice",
        )
        .remedy(
            "删去 until，或写 afterwards = \"connect\"",
            "remove until, or write afterwards = \"connect\"",
        )
        .related(afterwards, "过渡期", "the transition");
}

fn contradicts(said: &Said<Date>, (zh, en): (&str, &str), other: &Spot, problems: &mut Problems) {
    problems
        .error("E1807", &said.spot, zh, en)
        .effect(
            "过渡期的提示会少播或不播，市民不知道号码已经并入 12345",
            "the months in which callers are told would be cut short or lost, and they would not know of 12345",
        )
        .remedy(
            "整体并入的号码由 transition 定起止：改正这里的日期，或删去它",
            "a merged number begins and ends by its transition: correct the day, or remove it",
        )
        .related(other, "过渡期", "the transition");
}

/// Days that leave the calendar: nobody could say at which instant they begin or end.
pub fn within_the_calendar(table: &RoutingTable, problems: &mut Problems) {
    let Some(zone) = table.city.as_ref().and_then(|city| city.time_zone.as_ref()) else { return };
    for line in &table.numbers {
        let untils = line.until.iter().chain(line.also().filter_map(|alias| alias.until.as_ref()));
        let ends = |day: Date, zone: &TimeZone| transition::midnight(day.tomorrow().ok()?, zone);
        for said in untils.filter(|said| ends(said.value, zone).is_none()) {
            super::super::values::out_of_range(&said.spot, "0001-01-01–9999-12-30", problems);
        }
        for said in line.from.iter().filter(|said| transition::midnight(said.value, zone).is_none()) {
            super::super::values::out_of_range(&said.spot, "0001-01-01–9999-12-30", problems);
        }
    }
}

/// A greeting of its own beside a flow, which is heard in its place.
pub fn greetings(table: &RoutingTable, problems: &mut Problems) {
    for line in &table.numbers {
        let (Some(greeting), Some(flow)) = (&line.greeting, &line.flow) else { continue };
        problems
            .error(
                "E1808",
                &greeting.spot,
                "同时写了 greeting 和 flow，问候语永远不会播放",
                "greeting and flow on one number: the greeting is never heard",
            )
            .effect(
                "流程代替问候语；其中的录音告知等内容，来电人听不到",
                "a flow is heard in place of the greeting: what the greeting tells, like that calls are recorded, callers do not hear",
            )
            .remedy(
                "把问候语放进流程的第一步（play），删去这里的 greeting",
                "let the flow's first step play it, and remove greeting here",
            )
            .related(&flow.spot, "流程", "the flow");
    }
}
