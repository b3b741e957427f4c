//! Calls to the outside, and the beginnings of what clerks dial: no two of them mean one thing.

use super::super::diagnostic::Spot;
use super::super::people_values::Prefix;
use super::super::source::{Problems, Said};
use super::super::tables::{NumberTable, RoutingTable};
use super::EMERGENCY;

/// Premium-rate and information numbers in China begin like these, and calls abroad with the last.
const PREMIUM: [&str; 3] = ["16", "96", "00"];

/// Codes of long-distance calls by IP: behind 17951 and its like stands any number in the world.
const BY_IP: &str = "179";

/// Whom `[calling]` lets call, and whom nobody may.
pub fn allowed(table: &RoutingTable, problems: &mut Problems) {
    let Some(allowed) = table.calling.as_ref().and_then(|calling| calling.allowed.as_ref()) else { return };
    for said in &allowed.value {
        let beginning = said.value.0.as_str();
        let peers = table.emergencies.iter().filter_map(|peer| peer.number.as_ref());
        let mut urgent = peers.map(|said| said.value.as_str()).chain(EMERGENCY);
        if beginning.is_empty() {
            everything(&said.spot, problems);
        } else if let Some(number) = urgent.find(|number| number.starts_with(beginning)) {
            emergency(&said.spot, number, problems);
        } else if PREMIUM.iter().any(|premium| meets(beginning, premium)) {
            premium(&said.spot, beginning, problems);
        } else if meets(beginning, BY_IP) {
            by_ip(&said.spot, beginning, problems);
        }
    }
}

/// Whether some number begins with both.
fn meets(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn everything(spot: &Spot, problems: &mut Problems) {
    problems
        .warning("W0115", spot, "\"\" 允许呼叫任何号码", "\"\" lets any number be called")
        .effect(
            "国际和收费号码也能呼出，一台话机被盗用就是一笔话费",
            "international and premium numbers as well: a stolen telephone's password becomes a bill",
        )
        .remedy(
            "只写要用的开头，如 [\"13\", \"15\", \"0393\"]",
            "give those that are needed only, like [\"13\", \"15\", \"0393\"]",
        );
}

fn emergency(spot: &Spot, number: &str, problems: &mut Problems) {
    problems
        .error(
            "E0904",
            spot,
            format!("这样的开头包括紧急热线 {number}"),
            format!("the emergency number {number} begins like that"),
        )
        .effect(
            "紧急呼叫会经运营商绕行，而不走 [[emergency]] 的专线",
            "emergency calls would go by the carrier, and not by the line of [[emergency]]",
        )
        .remedy(
            "写得更长，如手机号写 \"13\"、\"15\"、\"177\"、\"18\"、\"19\"；紧急热线不必列在这里",
            "write more of it, like \"13\", \"15\", \"177\", \"18\", \"19\" for mobiles; emergency numbers need no mention here",
        );
}

fn premium(spot: &Spot, beginning: &str, problems: &mut Problems) {
    problems
        .warning(
            "W0116",
            spot,
            format!("\"{beginning}\" 包括收费的信息台或国际号码"),
            format!("numbers at a premium rate or abroad begin with \"{beginning}\""),
        )
        .effect(
            "有人可能用话机拨收费号码，话费由贵市承担",
            "somebody may call them from a clerk's telephone, at the city's cost",
        )
        .remedy(
            "只写要用的开头，或与运营商约定禁拨",
            "give those that are needed only, or have the carrier bar them",
        );
}

fn by_ip(spot: &Spot, beginning: &str, problems: &mut Problems) {
    problems
        .warning(
            "W1070",
            spot,
            format!("\"{beginning}\" 包括 IP 长途接入码 179xx"),
            format!("codes of long-distance calls by IP, 179xx, begin with \"{beginning}\""),
        )
        .effect(
            "17951 后面可以再拨任何国际、收费号码，等于全部放开，话费由贵市承担",
            "behind 17951 any number can be dialled, abroad and at a premium rate: everything is let out, at the city's cost",
        )
        .remedy(
            "手机号写到第三位，如 \"170\"、\"171\"、\"173\"、\"175\"、\"176\"、\"177\"、\"178\"",
            "write three digits of mobiles' numbers, like \"170\", \"171\", \"173\", \"175\", \"176\", \"177\", \"178\"",
        );
}

/// What needs somebody to be called has a way to call.
pub fn needed(table: &RoutingTable, problems: &mut Problems) {
    if table.calling.is_some() {
        return;
    }
    let callbacks = table.queues.iter().filter_map(|queue| queue.rules.callback.as_ref());
    let follow_up = table.follow_up.iter().filter(|own| own.enabled.as_ref().is_some_and(|said| said.value));
    let spots = callbacks.map(|own| &own.spot).chain(follow_up.map(|own| &own.spot));
    for spot in spots {
        problems
            .error(
                "E0905",
                spot,
                format!("{} 要呼叫来电人，却没有写 [calling]", spot.key),
                format!("{} calls people, but there is no [calling]", spot.key),
            )
            .effect("答应了回拨却永远不会打来", "callers would be promised a call that never comes")
            .remedy(
                "写上 [calling]（prefix、allowed、trunk、line），或删去这一项",
                "write [calling] with prefix, allowed, trunk and line, or remove this",
            );
    }
}

/// None of the beginnings that clerks dial begins another's number.
pub fn prefixes(table: &RoutingTable, problems: &mut Problems) {
    let calling = table.calling.as_ref().and_then(|calling| calling.prefix.as_ref());
    if let Some(prefix) = calling.filter(|prefix| !is_digits(&prefix.value.0)) {
        undialled(prefix, problems);
    }
    let work = table.work.as_ref();
    let states = work.and_then(|work| work.prefix.as_ref());
    let watching = work.and_then(|work| work.watch_prefix.as_ref());
    let own: Vec<(&str, &Spot)> = [calling, states, watching]
        .into_iter()
        .flatten()
        .map(|said| (said.value.0.as_str(), &said.spot))
        .filter(|(prefix, _)| !prefix.is_empty())
        .collect();
    for (place, (prefix, spot)) in own.iter().enumerate() {
        let rooms = table.meetings.iter().filter_map(|meeting| meeting.prefix.as_ref()).map(plain);
        let mut others = own[..place].iter().copied().chain(rooms);
        let taken = others.find(|(other, _)| other.starts_with(prefix) || prefix.starts_with(other));
        let mut numbers = numbers(table).map(plain);
        if let Some(other) = taken.or_else(|| numbers.find(|(number, _)| number.starts_with(prefix))) {
            clash((prefix, spot), other, problems);
        }
    }
}

fn plain(said: &Said<String>) -> (&str, &Spot) {
    (said.value.as_str(), &said.spot)
}

/// Everything that a clerk's telephone may dial as it stands.
fn numbers(table: &RoutingTable) -> impl Iterator<Item = &Said<String>> {
    let lines = table.numbers.iter().flat_map(NumberTable::numbers);
    let peers = table.emergencies.iter().map(|peer| &peer.number);
    let departments = table.asked().map(|department| &department.number);
    let seats = table.seats.iter().map(|seat| &seat.id);
    lines.chain(peers.chain(departments).chain(seats).flatten())
}

fn is_digits(prefix: &str) -> bool {
    !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit())
}

fn undialled(prefix: &Said<Prefix>, problems: &mut Problems) {
    problems
        .error(
            "E0122",
            &prefix.spot,
            format!("\"{}\" 不能作呼出的前缀", prefix.value.0),
            format!("\"{}\" cannot stand in front of a number outside", prefix.value.0),
        )
        .effect("座席一个外部号码也拨不出去", "no clerk could call anybody outside by telephone")
        .remedy("写一到四位数字，如 prefix = \"8\"", "one to four digits, like prefix = \"8\"");
}

fn clash((prefix, spot): (&str, &Spot), (other, other_spot): (&str, &Spot), problems: &mut Problems) {
    problems
        .error(
            "E0421",
            spot,
            format!("前缀 {prefix} 与 {other} 相撞"),
            format!("the beginning {prefix} clashes with {other}"),
        )
        .effect(
            "座席拨同样的键，可能呼出去，也可能进会议室或改了状态",
            "the same keys could call outside, join a meeting or change a clerk's state",
        )
        .remedy(
            "换一个前缀，如呼出用 \"8\"、状态用 \"*3\"、监听用 \"*9\"",
            "choose another, like \"8\" to call out, \"*3\" for states, \"*9\" to listen",
        )
        .related(other_spot, "另一个", "the other");
}
