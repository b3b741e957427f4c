//! Two whom clerks ask by numbers of their own are two at the far side as well: the engine knows each by the way there, its
//! trunk and the number that is called by it.

use std::collections::BTreeMap;

use super::super::source::{Problems, Said};
use super::super::tables::{Field, ModeWord, NumberTable, RoutingTable};

/// Who is asked, and the way there.
struct Asked<'t> {
    number: &'t Said<String>,
    /// What is called there: written beside it, or the same.
    called: &'t Said<String>,
    trunk: &'t Said<String>,
}

impl<'t> Asked<'t> {
    fn of(number: &'t Field<String>, dial: &'t Field<String>, trunk: &'t Field<String>) -> Option<Self> {
        let number = number.as_ref()?;
        Some(Asked { number, called: dial.as_ref().unwrap_or(number), trunk: trunk.as_ref()? })
    }
}

/// Runs over departments and peers, beside emergency numbers and sub-centers. Two emergency numbers have a code of their
/// own; which of two sub-centers a caller wants is said by the line.
pub fn ways(table: &RoutingTable, problems: &mut Problems) {
    let centers = table.emergencies.iter().filter_map(|own| Asked::of(&own.number, &own.dial, &own.trunk));
    let is_sub_center =
        |line: &&NumberTable| line.mode.as_ref().is_some_and(|mode| mode.value == ModeWord::SubCenter);
    let lines = table.numbers.iter().filter(is_sub_center);
    let sub_centers = lines.filter_map(|line| Asked::of(&line.number, &line.dial, &line.trunk));
    let mut known: BTreeMap<(&str, &str), Asked<'_>> = BTreeMap::new();
    for one in centers.chain(sub_centers) {
        known.entry((&one.trunk.value, &one.called.value)).or_insert(one);
    }
    for one in table.asked().filter_map(|own| Asked::of(&own.number, &own.dial, &own.trunk)) {
        match known.get(&(one.trunk.value.as_str(), one.called.value.as_str())) {
            Some(first) if first.number.value != one.number.value => one_place(first, &one, problems),
            Some(_) => {} // Twice the same number has an error of its own.
            None => drop(known.insert((&one.trunk.value, &one.called.value), one)),
        }
    }
}

fn one_place(first: &Asked<'_>, second: &Asked<'_>, problems: &mut Problems) {
    let (one, other, called) = (&first.number.value, &second.number.value, &second.called.value);
    problems
        .error(
            "E1813",
            &second.called.spot,
            format!("{one} 和 {other} 经同一中继呼同一个号码 {called}"),
            format!("{one} and {other} are called as {called} by one trunk, both"),
        )
        .effect(
            "转给其中哪一个，工单、记录和报表都分不清，可能记在另一个名下",
            "tickets, records and reports could not tell which of the two a call was put through to, and would name the other",
        )
        .remedy(
            "对端只有一处的，只留一个；有两处的，请对端给各自的号码，分别写进 dial，或分设中继",
            "keep one of them where there is one place, else have the far side give each a number of its own and write it as \
             dial, or lead them by trunks of their own",
        )
        .related(&first.called.spot, "第一次", "first");
}
