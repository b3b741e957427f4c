//! Meeting rooms: numbers that are nobody else's, and a door that is open to those only who are named.

use super::super::diagnostic::Spot;
use super::super::meeting::{MEMBERS_MAX, SEATS};
use super::super::source::{Problems, Said};
use super::super::tables::meeting::MeetingTable;
use super::super::tables::{NumberTable, RoutingTable};
use super::super::values::out_of_range;
use super::{EMERGENCY, references};

/// Digits of a room behind its prefix at most.
const DIGITS_MAX: u8 = 9;

/// Each meeting by itself.
pub fn meetings(table: &RoutingTable, problems: &mut Problems) {
    references::once(table.meetings.iter().map(|meeting| &meeting.name), ("会议", "meeting"), problems);
    for meeting in &table.meetings {
        if let Some(digits) = meeting.digits.as_ref().filter(|said| !(1..=DIGITS_MAX).contains(&said.value)) {
            out_of_range(&digits.spot, &format!("1–{DIGITS_MAX}"), problems);
        }
        let members = meeting.members_max.as_ref();
        if let Some(members) = members.filter(|said| !(2..=MEMBERS_MAX).contains(&said.value)) {
            out_of_range(&members.spot, &format!("2–{MEMBERS_MAX}"), problems);
        }
        if let Some(prefix) = &meeting.prefix {
            well_formed(prefix, meeting, problems);
        }
        if let Some(from) = &meeting.from {
            door(table, meeting, from, problems);
        }
    }
    let names = table.trunks.iter().map(|trunk| &trunk.name);
    for name in names.chain(table.groups.iter().map(|group| &group.name)).flatten() {
        if name.value == SEATS {
            reserved(name, problems);
        }
    }
}

fn well_formed(prefix: &Said<String>, meeting: &MeetingTable, problems: &mut Problems) {
    let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
    let whole = prefix.len() + usize::from(meeting.digits.as_ref().map_or(1, |said| said.value));
    if digits && !prefix.starts_with('0') && (3..=11).contains(&whole) {
        return;
    }
    problems
        .error(
            "E0214",
            &prefix.spot,
            format!("\"{}\" 加 digits 位数字不是号码的最短写法", prefix.value),
            format!("\"{}\" with its digits makes no number in its shortest form", prefix.value),
        )
        .effect("会议室的号码永远对不上，会被拒绝", "the numbers of its rooms would never match and would be refused")
        .remedy(
            "只写数字，不以 0 开头，连同 digits 共三到十一位，如 prefix = \"94\"、digits = 6",
            "digits only, without a leading 0, three to eleven with those of digits, like prefix = \"94\", digits = 6",
        );
}

/// Who may join is somebody, and somebody who is known.
fn door(
    table: &RoutingTable,
    meeting: &MeetingTable,
    from: &Said<Vec<Said<String>>>,
    problems: &mut Problems,
) {
    if from.value.is_empty() {
        problems
            .error("E0215", &from.spot, "会议室不许任何人加入", "nobody may join the meeting")
            .effect("拨打会议室的人一律被拒绝", "whoever dials one of its rooms is refused")
            .remedy(
                "写 from = [\"seats\"]，或点名可以加入的中继",
                "write from = [\"seats\"], or name the trunks that may join",
            );
    }
    let trunks: Vec<&str> = std::iter::once(SEATS)
        .chain(table.trunks.iter().filter_map(|trunk| trunk.name.as_ref()).map(|said| said.value.as_str()))
        .collect();
    for said in &from.value {
        references::exists("E0303", said, &trunks, ("中继", "trunk"), problems);
        let trunk = said.value != SEATS && trunks.contains(&said.value.as_str());
        if trunk && table.is_live() {
            let name = meeting.name.as_ref().map_or("?", |name| name.value.as_str());
            open_door(said, name, problems);
        }
    }
}

fn open_door(said: &Said<String>, meeting: &str, problems: &mut Problems) {
    problems
        .warning(
            "W0109",
            &said.spot,
            format!("会议 \"{meeting}\" 向中继 \"{}\" 开放", said.value),
            format!("the meeting \"{meeting}\" is open to the trunk \"{}\"", said.value),
        )
        .effect(
            "凡能经这条中继打进来的人，猜中房间号就能旁听和插话",
            "whoever can call by that trunk and guesses a room can listen and speak there",
        )
        .remedy(
            "只让座席加入；非要经中继，就用一条只有自己人能用的中继",
            "let seats join only; where it must be a trunk, one that none but your own people can use",
        );
}

fn reserved(name: &Said<String>, problems: &mut Problems) {
    problems
        .error(
            "E0216",
            &name.spot,
            format!("\"{SEATS}\" 指全体座席，不能作中继名"),
            format!("\"{SEATS}\" means all seats and cannot be a trunk's name"),
        )
        .effect(
            "会议室向谁开放、来电从哪里来，都会混为一谈",
            "whom a meeting is open to, and where a call came from, could mean either",
        )
        .remedy("给这条中继改名", "rename the trunk");
}

/// No room is anybody else's number: not a line's, an emergency number, a seat's or another meeting's.
pub fn rooms(table: &RoutingTable, problems: &mut Problems) {
    for (place, meeting) in table.meetings.iter().enumerate() {
        let (Some(prefix), Some(digits)) = (&meeting.prefix, &meeting.digits) else { continue };
        let whole = prefix.len() + usize::from(digits.value);
        let is_room = |number: &str| number.len() == whole && number.starts_with(prefix.value.as_str());
        let numbers = table.numbers.iter().flat_map(NumberTable::numbers);
        let peers = table.emergencies.iter().filter_map(|peer| peer.number.as_ref());
        let seats = table.seats.iter().filter_map(|seat| seat.id.as_ref());
        let departments = table.asked().filter_map(|department| department.number.as_ref());
        let mut known: Vec<(&str, Option<&Spot>)> = numbers
            .chain(peers)
            .chain(seats)
            .chain(departments)
            .map(|said| (said.value.as_str(), Some(&said.spot)))
            .collect();
        known.extend(EMERGENCY.map(|number| (number, None)));
        if let Some((number, spot)) = known.into_iter().find(|(number, _)| is_room(number)) {
            taken(prefix, number, spot, problems);
        }
        let earlier = table.meetings[..place].iter().find_map(|other| {
            let (their, own) = (other.prefix.as_ref()?, other.digits.as_ref()?);
            let same_length = their.len() + usize::from(own.value) == whole;
            let overlap =
                their.starts_with(prefix.value.as_str()) || prefix.starts_with(their.value.as_str());
            (same_length && overlap).then_some(their)
        });
        if let Some(earlier) = earlier {
            overlapping(prefix, earlier, problems);
        }
    }
}

fn taken(prefix: &Said<String>, number: &str, spot: Option<&Spot>, problems: &mut Problems) {
    let note = problems
        .error(
            "E0212",
            &prefix.spot,
            format!("号码 {number} 落在会议室的号段里"),
            format!("the number {number} lies among the rooms of the meeting"),
        )
        .effect(
            "拨打它的人可能进了会议室，找不到该接的人",
            "whoever dials it could end up in a meeting, and not with the person who should answer",
        )
        .remedy("换一个 prefix，或改变 digits", "choose another prefix, or other digits");
    if let Some(spot) = spot {
        note.related(spot, "这个号码", "that number");
    }
}

fn overlapping(prefix: &Said<String>, earlier: &Said<String>, problems: &mut Problems) {
    problems
        .error(
            "E0213",
            &prefix.spot,
            format!("会议室号段 {} 与 {} 重叠", prefix.value, earlier.value),
            format!("the rooms of {} and of {} overlap", prefix.value, earlier.value),
        )
        .effect(
            "同一个房间属于两个会议，谁可以加入说不清",
            "a room would belong to both meetings, with two answers to who may join",
        )
        .remedy("换一个 prefix，或改变 digits", "choose another prefix, or other digits")
        .related(&earlier.spot, "另一个", "the other");
}
