//! What is said of centers for emergencies: each is dialled by a number that is no other's there, in words that a clerk can read
//! while it rings, and nobody leaves a caller to one that has not answered.

use std::collections::BTreeMap;

use super::super::emergency::WORDS_MAX;
use super::super::source::{Problems, Said};
use super::super::tables::{EmergencyTable, RoutingTable};
use super::EMERGENCY;

/// Runs over each `[[emergency]]`.
pub fn centers(table: &RoutingTable, problems: &mut Problems) {
    let mut ways: BTreeMap<(&str, &str), &EmergencyTable> = BTreeMap::new();
    for center in &table.emergencies {
        let number = center.number.as_ref().map_or("", |said| said.value.as_str());
        if let Some(dial) = center.dial.as_ref().filter(|dial| dial.value != number) {
            let mut others = table.emergencies.iter().filter_map(|other| other.number.as_ref());
            let other = others.find(|other| other.value == dial.value);
            if other.is_some() || EMERGENCY.contains(&dial.value.as_str()) {
                crossed(number, dial, other, problems);
            } else if let Some(trunk) = &center.trunk
                && let Some(first) = ways.insert((&trunk.value, &dial.value), center)
            {
                one_way(number, dial, first, problems);
            }
        }
        let words = [&center.scope, &center.area].into_iter().flatten();
        for said in words.filter(|said| said.value.chars().count() > WORDS_MAX) {
            too_long(said, problems);
        }
        if let Some(stay) = center.stay.as_ref().filter(|said| !said.value && table.is_live()) {
            left_alone(number, stay, problems);
        }
    }
}

fn crossed(number: &str, dial: &Said<String>, other: Option<&Said<String>>, problems: &mut Problems) {
    let noted = problems
        .error(
            "E1810",
            &dial.spot,
            format!("{number} 的对端号码是 {}，另一个紧急热线", dial.value),
            format!("{number} is dialled as {}, which is another emergency number", dial.value),
        )
        .effect(
            "求救的人会被转到另一个中心，耽误的时间可能危及生命",
            "people in need would be put through to the wrong center, and the time lost can cost a life",
        )
        .remedy(
            "改正 dial；对端号码与 number 相同的，删去它",
            "correct dial, or remove it where the far side's number is the same",
        );
    if let Some(other) = other {
        noted.related(&other.spot, "另一个紧急热线", "the other emergency number");
    }
}

/// Whoever looks for a center by the way there finds one of the two. A center that has no other number there than its own
/// is either [`crossed`] or stands twice.
fn one_way(number: &str, dial: &Said<String>, first: &EmergencyTable, problems: &mut Problems) {
    let other = first.number.as_ref().map_or("", |said| said.value.as_str());
    let noted = problems
        .error(
            "E1812",
            &dial.spot,
            format!("{other} 和 {number} 经同一中继呼同一个号码 {}", dial.value),
            format!("{other} and {number} are called as {} by one trunk, both", dial.value),
        )
        .effect(
            "座席看到的受理范围、工单和记录都分不清转给了哪一个，求救的人可能被问错、接错",
            "what clerks read of the center, tickets and records could not tell one from the other: a person in need could \
             come to the wrong one",
        )
        .remedy(
            "请对端给每个紧急热线单独的号码，分别写进 dial；或分设中继",
            "have the far side give each of them a number of its own and write it as dial, or lead them by trunks of their \
             own",
        );
    if let Some(earlier) = &first.dial {
        noted.related(&earlier.spot, "第一次", "first");
    }
}

fn too_long(said: &Said<String>, problems: &mut Problems) {
    let length = said.value.chars().count();
    problems
        .error(
            "E1811",
            &said.spot,
            format!("{} 长 {length} 字，超过 {WORDS_MAX} 字", said.spot.key),
            format!("{} has {length} characters, more than {WORDS_MAX}", said.spot.key),
        )
        .effect(
            "座席要在振铃的几秒里看完，太长等于没写",
            "a clerk reads it in the seconds while the center rings: what is too long is not read",
        )
        .remedy("只写受理哪些事、管哪些地方", "say what the center takes and where it is for, and no more");
}

fn left_alone(number: &str, stay: &Said<bool>, problems: &mut Problems) {
    problems
        .warning(
            "W1802",
            &stay.spot,
            format!("{number} 还没有接听，座席就可以离开"),
            format!("clerks may leave a caller before {number} has answered"),
        )
        .effect(
            "对方无人接听时，求救的人身边没有座席，要重新排到队首；方案四（四）要求对方受理后才离开",
            "where nobody answers there, a person in need is without a clerk and waits at the head of the queue again; the notice, 四(四), has clerks stay until the case is taken",
        )
        .remedy("删去 stay = false", "remove stay = false");
}
