//! The published numbers: their form, their modes, and the months of the transition.

use super::super::diagnostic::Spot;
use super::super::plan::{Afterwards, Transition};
use super::super::source::{Problems, Said};
use super::super::tables::{AfterwardsWord, BenchWord, ModeWord, NumberTable, RoutingTable, TransitionTable};
use super::references::Seen;
use super::{EMERGENCY, misplaced, needed, references};
use crate::id::PromptId;

/// Area code with its zero, country code without.
pub fn city(table: &RoutingTable, problems: &mut Problems) {
    let Some(city) = &table.city else { return };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(code) = &city.area_code {
        let fits = digits(code) && (3..=4).contains(&code.len()) && code.starts_with('0');
        if !fits || code[1..].starts_with('0') {
            problems
                .error(
                    "E0111",
                    &code.spot,
                    format!("区号 \"{}\" 不合格式", code.value),
                    format!("\"{}\" is no area code", code.value),
                )
                .effect(
                    "带区号拨打的来电认不出来，会被拒绝",
                    "calls dialled with the area code would not be known and would be refused",
                )
                .remedy(
                    "连同开头的 0 写，三或四位数字，如 \"0393\"",
                    "three or four digits with the leading zero, like \"0393\"",
                );
        }
    }
    if let Some(code) = &city.country_code
        && (!digits(code) || code.len() > 3 || code.starts_with('0'))
    {
        problems
            .error(
                "E0112",
                &code.spot,
                format!("国家代码 \"{}\" 不合格式", code.value),
                format!("\"{}\" is no country code", code.value),
            )
            .effect(
                "以 +86 开头送来的号码认不出来，来电会被拒绝",
                "numbers that come with a country code would not be known and would be refused",
            )
            .remedy(
                "一到三位数字，不带 + 和 0，如 \"86\"",
                "one to three digits without + or 0, like \"86\"",
            );
    }
}

/// Each number well formed, said once, and never an emergency number.
pub fn numbers(table: &RoutingTable, problems: &mut Problems) {
    let mut seen = Seen::default();
    let lines = table.numbers.iter().filter_map(|line| line.number.as_ref());
    for said in lines.clone() {
        well_formed(said, problems);
        let peer = table.emergencies.iter().filter_map(|peer| peer.number.as_ref());
        let peer = peer.clone().find(|peer| peer.value == said.value);
        if peer.is_some() || EMERGENCY.contains(&said.value.as_str()) {
            emergency(said, peer, problems);
        }
        only_once(said, &mut seen, problems);
    }
    departments(table, seen, problems);
    let mut seen = Seen::default();
    for said in table.emergencies.iter().filter_map(|peer| peer.number.as_ref()) {
        well_formed(said, problems);
        only_once(said, &mut seen, problems);
    }
}

/// A department's number is its own: no line's, no emergency number, no seat's.
fn departments<'a>(table: &'a RoutingTable, mut seen: Seen<'a>, problems: &mut Problems) {
    let peers = table.emergencies.iter().filter_map(|peer| peer.number.as_ref());
    let seats = table.seats.iter().filter_map(|seat| seat.id.as_ref());
    for said in peers.chain(seats) {
        seen.before(said);
    }
    for said in table.asked().filter_map(|department| department.number.as_ref()) {
        well_formed(said, problems);
        if EMERGENCY.contains(&said.value.as_str()) && !seen.has(said) {
            emergency(said, None, problems);
        }
        only_once(said, &mut seen, problems);
    }
}

fn only_once<'a>(said: &'a Said<String>, seen: &mut Seen<'a>, problems: &mut Problems) {
    if let Some(earlier) = seen.before(said) {
        twice(said, earlier, problems);
    }
}

pub(super) fn twice(said: &Said<String>, earlier: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E0201",
            &said.spot,
            format!("号码 {} 出现两次", said.value),
            format!("the number {} stands twice", said.value),
        )
        .effect("同一来电有两种处理方式，无从选择", "one call would have two treatments and no way to choose")
        .remedy("只留一条", "keep one of them")
        .related(earlier, "第一次", "first");
}

pub(super) fn well_formed(said: &Said<String>, problems: &mut Problems) {
    let digits = said.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (3..=11).contains(&said.len()) && !said.starts_with('0') {
        return;
    }
    problems
        .error(
            "E0113",
            &said.spot,
            format!("\"{}\" 不是号码的最短写法", said.value),
            format!("\"{}\" is not the shortest form of a number", said.value),
        )
        .effect("拨打该号码的来电永远对不上，会被拒绝", "calls to it would never match and would be refused")
        .remedy(
            "只写数字，不带区号、+86 和分隔符，如 \"12345\" 或 \"4420000\"",
            "digits only, without area code, +86 or separators, like \"12345\" or \"4420000\"",
        );
}

fn emergency(said: &Said<String>, peer: Option<&Said<String>>, problems: &mut Problems) {
    let note = problems
        .error(
            "E0202",
            &said.spot,
            format!("{} 是紧急热线，不能作为本平台的号码", said.value),
            format!("{} is an emergency number and cannot be a line here", said.value),
        )
        .effect(
            "拨打紧急热线的市民会被接到 12345 排队，可能危及生命",
            "people who dial it would wait in a queue of 12345, which can cost a life",
        )
        .remedy(
            "删去这个 [[number]]；向外转接请写成 [[emergency]]",
            "remove this [[number]]; to put callers through to it, write [[emergency]]",
        );
    if let Some(peer) = peer {
        note.related(&peer.spot, "紧急热线", "emergency peer");
    }
}

/// Each mode has the keys that it needs and no others.
pub fn modes(table: &RoutingTable, problems: &mut Problems) {
    for line in &table.numbers {
        let Some(mode) = &line.mode else { continue };
        match mode.value {
            ModeWord::Bench => bench(line, mode, table.is_live(), problems),
            ModeWord::SubCenter => {
                if line.trunk.is_none() {
                    sub_center_without_trunk(line, problems);
                }
            }
            ModeWord::Dual if line.is_elsewhere() => {
                if line.trunk.is_none() {
                    needed(&line.spot, "trunk", "seats = \"retained\"", problems);
                }
            }
            ModeWord::Primary | ModeWord::Merged | ModeWord::Dual => {
                let outward = [spot(&line.trunk), spot(&line.dial), spot(&line.ring)];
                for spot in outward.into_iter().flatten() {
                    misplaced(spot, mode_name(mode.value), problems);
                }
            }
        }
        if let Some(seats) = line.seats.as_ref().filter(|_| mode.value != ModeWord::Dual) {
            misplaced(&seats.spot, mode_name(mode.value), problems);
        }
        if mode.value != ModeWord::Bench {
            for spot in [spot(&line.does), spot(&line.prompt), spot(&line.record)].into_iter().flatten() {
                misplaced(spot, mode_name(mode.value), problems);
            }
        }
        if references::waits(mode.value) && line.queue.is_none() {
            needed(&line.spot, "queue", mode_name(mode.value), problems);
        }
        if mode.value != ModeWord::Merged
            && let Some(own) = &line.transition
        {
            misplaced(&own.spot, mode_name(mode.value), problems);
        }
        expert_seats(line, mode.value, problems);
    }
}

fn spot<T>(said: &Option<Said<T>>) -> Option<&Spot> {
    said.as_ref().map(|said| &said.spot)
}

/// A mode as the file says it.
pub fn mode_name(mode: ModeWord) -> &'static str {
    match mode {
        ModeWord::Primary => "mode = \"primary\"",
        ModeWord::Merged => "mode = \"merged\"",
        ModeWord::Dual => "mode = \"dual\"",
        ModeWord::SubCenter => "mode = \"sub_center\"",
        ModeWord::Bench => "mode = \"bench\"",
    }
}

fn bench(line: &NumberTable, mode: &Said<ModeWord>, live: bool, problems: &mut Problems) {
    if live {
        problems
            .error(
                "E0206",
                &mode.spot,
                "正式方案里不能有压测号码",
                "a live plan cannot have a line for load tools",
            )
            .effect(
                "拨打它的市民听到静音或测试音，找不到人",
                "citizens who dial it would hear silence or a test sound, and no person",
            )
            .remedy(
                "改用其他 mode，或把压测号码移到 purpose = \"bench\" 的文件",
                "choose another mode, or move the line to a file with purpose = \"bench\"",
            );
    }
    for said in [&line.queue, &line.flow, &line.greeting].into_iter().flatten() {
        misplaced(&said.spot, "mode = \"bench\"", problems);
    }
    let Some(does) = &line.does else {
        needed(&line.spot, "does", "mode = \"bench\"", problems);
        return;
    };
    let (plays, dials) = match does.value {
        BenchWord::Silent => (false, false),
        BenchWord::PlayOnce | BenchWord::PlayForever => (true, false),
        BenchWord::Dial => (false, true),
    };
    let choice = match does.value {
        BenchWord::Silent => "does = \"silent\"",
        BenchWord::PlayOnce => "does = \"play_once\"",
        BenchWord::PlayForever => "does = \"play_forever\"",
        BenchWord::Dial => "does = \"dial\"",
    };
    match &line.prompt {
        None if plays => needed(&line.spot, "prompt", choice, problems),
        Some(prompt) if !plays => misplaced(&prompt.spot, choice, problems),
        _ => {}
    }
    if dials {
        if line.trunk.is_none() {
            needed(&line.spot, "trunk", choice, problems);
        }
        return;
    }
    let outward = [spot(&line.trunk), spot(&line.dial), spot(&line.ring), spot(&line.record)];
    for spot in outward.into_iter().flatten() {
        misplaced(spot, choice, problems);
    }
}

fn sub_center_without_trunk(line: &NumberTable, problems: &mut Problems) {
    let spot = Spot { key: format!("{}.trunk", line.spot.key), ..line.spot.clone() };
    problems
        .error("E0209", &spot, "分中心没有中继", "a sub-center without a trunk")
        .effect(
            "分中心永远接不到来电，市民只能转到 12345",
            "its own clerks would never be called; every caller would end up at 12345",
        )
        .remedy("加上 trunk = \"…\" 并定义该 [[trunk]]", "add trunk = \"…\" and define that [[trunk]]");
}

fn expert_seats(line: &NumberTable, mode: ModeWord, problems: &mut Problems) {
    let Some(said) = line.expert_seats.as_ref().filter(|said| said.value) else {
        return;
    };
    if mode == ModeWord::Dual {
        return;
    }
    problems
        .error(
            "E0208",
            &said.spot,
            format!("{} 不能设专家座席", mode_name(mode)),
            format!("{} cannot have expert seats", mode_name(mode)),
        )
        .effect(
            "专家座席只为双号并行的热线而设，写在这里不会生效",
            "expert seats belong to dual numbers; here they would never be called",
        )
        .remedy("删去 expert_seats，或改为 mode = \"dual\"", "remove expert_seats, or write mode = \"dual\"");
}

/// A live plan has 12345, and has it once.
pub fn primary(table: &RoutingTable, problems: &mut Problems) {
    let mut primaries = table
        .numbers
        .iter()
        .filter_map(|line| line.mode.as_ref())
        .filter(|mode| mode.value == ModeWord::Primary);
    let Some(first) = primaries.next() else {
        if table.is_live() {
            let spot = Spot { key: "number".to_owned(), ..table.spot.clone() };
            problems
                .error(
                    "E0204",
                    &spot,
                    "正式方案里没有 mode = \"primary\" 的号码",
                    "a live plan without a number of mode = \"primary\"",
                )
                .effect("市民无法拨通 12345", "nobody could reach 12345")
                .remedy(
                    "为 12345 加上 [[number]]，mode = \"primary\"",
                    "add a [[number]] for 12345 with mode = \"primary\"",
                );
        }
        return;
    };
    for other in primaries {
        problems
            .error("E0205", &other.spot, "只能有一个主号码", "there can be one primary number only")
            .effect(
                "转来的旧号码分不清该归哪个主号码",
                "forwarded old numbers could not be told from the primary",
            )
            .remedy("其余改为 mode = \"dual\"", "make the others mode = \"dual\"")
            .related(&first.spot, "第一个", "first");
    }
}

/// Merged lines have a first day, a length and a prompt; the length makes sense.
pub fn transitions(table: &RoutingTable, problems: &mut Problems) {
    if let Some(transition) = &table.transition {
        length(transition, table.transition.as_ref(), table, problems);
        refuses(transition, None, problems);
    }
    for line in &table.numbers {
        let own = line.transition.as_ref();
        if let Some(own) = own {
            length(own, table.transition.as_ref(), table, problems);
            refuses(own, table.transition.as_ref(), problems);
        }
        let merged = line.mode.as_ref().filter(|mode| mode.value == ModeWord::Merged);
        let whole =
            own.is_some_and(|own| own.start.is_some() && own.months.is_some() && own.prompt.is_some());
        if let Some(mode) = merged
            && table.transition.is_none()
            && !whole
        {
            let number = line.number.as_ref().map_or("?", |said| said.value.as_str());
            problems
                .error(
                    "E0203",
                    &mode.spot,
                    format!("{number} 整体并入，却没有过渡期"),
                    format!("{number} is merged but has no transition"),
                )
                .effect(
                    "拨打旧号码的市民听不到并入提示，也没有人知道提示何时停止",
                    "callers of the old number would not be told of the merger, and nobody knows when the telling ends",
                )
                .remedy(
                    "加上 [transition]，写明 start、months、prompt",
                    "add [transition] with start, months and prompt",
                );
        }
    }
}

/// Whom nobody refuses, nobody tells why.
fn refuses(transition: &TransitionTable, whole: Option<&TransitionTable>, problems: &mut Problems) {
    let whole = whole.and_then(|whole| whole.afterwards.as_ref());
    let afterwards = transition.afterwards.as_ref().or(whole);
    let Some(cause) = &transition.cause else { return };
    if afterwards.is_some_and(|said| said.value == AfterwardsWord::Connect) {
        misplaced(&cause.spot, "afterwards = \"connect\"", problems);
    }
}

fn length(
    transition: &TransitionTable,
    whole: Option<&TransitionTable>,
    table: &RoutingTable,
    problems: &mut Problems,
) {
    let Some(months) = &transition.months else {
        return;
    };
    let start = transition.start.as_ref();
    let start = start.or_else(|| whole.and_then(|whole| whole.start.as_ref()));
    let zone = table.city.as_ref().and_then(|city| city.time_zone.as_ref());
    let leaves_the_calendar = match (start, zone) {
        (Some(start), Some(zone)) => Transition {
            start: start.value,
            months: months.value,
            prompt: PromptId::from(""),
            early_media: false,
            afterwards: Afterwards::Connect,
        }
        .window(zone)
        .is_none(),
        _ => false,
    };
    if (1..=12).contains(&months.value) && !leaves_the_calendar {
        return;
    }
    problems
        .error(
            "E0210",
            &months.spot,
            format!("过渡期不能是 {} 个月", months.value),
            format!("a transition cannot last {} months", months.value),
        )
        .effect(
            "提示音会一次也不播，或者播个没完（方案规定 3 个月）",
            "the prompt would never be heard, or for ever (the notice says 3 months)",
        )
        .remedy("写 1 到 12 个月，如 months = 3", "give 1 to 12 months, like months = 3");
}
