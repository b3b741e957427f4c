//! Rewriting rules say one thing each, their examples come out as written, and no emergency number
//! is lost or made by them.

use super::super::build;
use super::super::diagnostic::Spot;
use super::super::plan::City;
use super::super::rewrite::Rules;
use super::super::source::{Problems, Said};
use super::super::tables::trunk::{ExampleTable, RewriteTable, RuleTable};
use super::super::tables::{RoutingTable, TrunkTable};
use super::super::trunk_values::Number;
use super::{EMERGENCY, references};

/// Runs over the rules of every trunk.
pub fn rewriting(table: &RoutingTable, problems: &mut Problems) {
    let city = city(table);
    for trunk in &table.trunks {
        let Some(rewrite) = &trunk.rewrite else { continue };
        for list in rewrite.lists() {
            for rule in list {
                says_one_thing(rule, problems);
                leaves_something(rule, problems);
            }
            examples(list, problems);
        }
        if let Some(city) = &city {
            emergency(trunk, rewrite, table, city, problems);
        }
    }
}

/// The city's forms of a number; its clock does not matter here.
pub(super) fn city(table: &RoutingTable) -> Option<City> {
    let city = table.city.as_ref()?;
    Some(City {
        name: String::new(),
        area_code: city.area_code.as_ref()?.value.clone(),
        country_code: city.country_code.as_ref()?.value.clone(),
        org: None,
        time_zone: jiff::tz::TimeZone::UTC,
    })
}

fn says_one_thing(rule: &RuleTable, problems: &mut Problems) {
    let keep = rule.keep.as_ref().filter(|said| said.value).map(|said| &said.spot);
    let to = rule.to.as_ref().map(|said| &said.spot);
    let shape = [rule.strip.as_ref().map(|said| &said.spot), rule.add.as_ref().map(|said| &said.spot)];
    let shape = shape.into_iter().flatten().next();
    let said: Vec<&Spot> = [keep, to, shape].into_iter().flatten().collect();
    let (spot, zh, en) = match said[..] {
        [_] => return,
        [] if rule.acts && rule.keep.is_none() => return, // Said wrongly, and noted.
        [] => (&rule.spot, "规则没有写要做什么", "the rule does not say what to do"),
        [_, second, ..] => (second, "规则同时写了几种做法", "the rule says several things at once"),
    };
    problems
        .error("E0616", spot, zh, en)
        .effect("不知道对端会收到什么号码", "nobody could tell which number the far side would get")
        .remedy(
            "只写一种：to = \"…\"，或 strip、add，或 keep = true（保持原样）",
            "say one thing: to = \"…\", or strip and add, or keep = true to leave the number as it is",
        );
}

fn leaves_something(rule: &RuleTable, problems: &mut Problems) {
    let Some(strip) = &rule.strip else { return };
    let rules = build::rules(std::slice::from_ref(rule));
    let Some(whole) = rules.as_ref().and_then(Rules::first) else { return };
    let (shortest, strip_chars) = (whole.shortest(), usize::from(strip.value));
    if strip_chars < shortest || strip_chars == shortest && rule.add.is_some() {
        return;
    }
    problems
        .error(
            "E0617",
            &strip.spot,
            format!("去掉 {strip_chars} 位，而规则适用的号码可能只有 {shortest} 位"),
            format!("strips {strip_chars}, but the rule is for numbers of {shortest} too"),
        )
        .effect("号码会被删空，呼叫打不出去", "nothing of the number would be left to call")
        .remedy("少去几位，或用 length 限定位数", "strip less, or say length");
}

/// Each example is for the rule that it stands at, and comes out as it says.
fn examples(list: &[RuleTable], problems: &mut Problems) {
    let rules = build::rules(list);
    for (index, rule) in list.iter().enumerate() {
        if rule.examples.is_empty() && rule.when.is_some() {
            unshown(rule, problems);
        }
        let Some(rules) = &rules else { continue };
        for example in &rule.examples {
            let ExampleTable { from: Some(from), to: Some(to) } = example else { continue };
            match rules.choose(&from.value.0) {
                Some(chosen) if chosen == index => comes_out(rules, from, to, problems),
                chosen => {
                    let other = chosen.and_then(|chosen| list.get(chosen));
                    strays(&from.spot, &from.value.0, other, problems);
                }
            }
        }
    }
}

fn comes_out(rules: &Rules, from: &Said<Number>, to: &Said<Number>, problems: &mut Problems) {
    let (from, wanted) = (&from.value.0, &to.value.0);
    let found = rules.apply(from);
    if found == wanted.as_str() {
        return;
    }
    problems
        .error(
            "E0618",
            &to.spot,
            format!("例子算出来不一样: {from} 变成 {found}，不是 {wanted}"),
            format!("the example comes out otherwise: {from} becomes {found}, not {wanted}"),
        )
        .effect(
            "规则做的不是您要的，对端会收到别的号码",
            "the rule does not do what was meant, and the far side would get another number",
        )
        .remedy("改正规则，或改正例子", "correct the rule, or the example");
}

fn strays(spot: &Spot, from: &str, other: Option<&RuleTable>, problems: &mut Problems) {
    let (zh, en) = match other {
        Some(_) => ("先被另一条规则接走了", "is taken by another rule first"),
        None => ("没有规则适用", "is for no rule"),
    };
    let note = problems
        .error("E0619", spot, format!("例子 {from} {zh}"), format!("the example {from} {en}"))
        .effect("这条规则对它不起作用", "this rule has no effect on it")
        .remedy(
            "改正 when 或 length，调整规则先后，或改正例子",
            "correct when or length, change the order of the rules, or correct the example",
        );
    if let Some(other) = other {
        note.related(&other.spot, "这条规则在先", "this rule comes first");
    }
}

fn unshown(rule: &RuleTable, problems: &mut Problems) {
    let Some(when) = &rule.when else { return };
    problems
        .warning("W0106", &when.spot, "规则没有例子", "a rule without an example")
        .effect(
            "没有人核对过它，写错了要到呼叫失败时才发现",
            "nobody has checked it, and a slip would show only when calls fail",
        )
        .remedy(
            "加上 examples = [ { from = \"…\", to = \"…\" } ]",
            "add examples = [ { from = \"…\", to = \"…\" } ]",
        );
}

/// Both ways an emergency number stays what it is, and no other number becomes one.
fn emergency(
    trunk: &TrunkTable,
    rewrite: &RewriteTable,
    table: &RoutingTable,
    city: &City,
    problems: &mut Problems,
) {
    let listed = table.emergencies.iter().filter_map(|peer| peer.number.as_ref());
    let mut numbers: Vec<&str> = EMERGENCY.to_vec();
    numbers.extend(listed.map(|said| said.value.as_str()));
    numbers.sort_unstable();
    numbers.dedup();
    let own = trunk.name.as_ref().map(|said| said.value.as_str());
    for list in [&rewrite.called, &rewrite.called_inward] {
        let Some(rules) = build::rules(list) else { continue };
        // What the rules make of a number, in our own form.
        let becomes = |number: &str| city.normalise(&rules.apply(number));
        let is_one = |number: &str| numbers.contains(&number);
        let blame = |number: &str| rules.choose(number).and_then(|index| list.get(index));
        for number in
            numbers.iter().filter(|number| becomes(number).as_ref().is_none_or(|id| id.as_str() != **number))
        {
            if let Some(rule) = blame(number) {
                lost(rule, number, &rules.apply(number), problems);
            }
        }
        let mut others: Vec<&str> = list
            .iter()
            .flat_map(|rule| &rule.examples)
            .filter_map(|one| one.from.as_ref())
            .map(|said| said.value.0.as_str())
            .collect();
        if let Some(own) = own {
            others.extend(references::numbers_by(table, own).map(|said| said.value.as_str()));
        }
        others.sort_unstable();
        others.dedup();
        caught(list, &rules, &others, &becomes, problems);
        for other in others {
            let before = city.normalise(other);
            if before.as_ref().is_some_and(|id| is_one(id.as_str())) {
                continue;
            }
            if becomes(other).is_some_and(|id| is_one(id.as_str()))
                && let Some(rule) = blame(other)
            {
                lost(rule, other, &rules.apply(other), problems);
            }
        }
    }
}

/// Longer numbers that end like an emergency number and are none: 96119 is the hotline for fire hazards.
const ALIKE: [&str; 1] = ["96119"];

/// A rule that would make an emergency number of one that only ends like it, though no example and no number of
/// the trunk shows it.
fn caught(
    list: &[RuleTable],
    rules: &Rules,
    shown: &[&str],
    becomes: &dyn Fn(&str) -> Option<crate::id::LineId>,
    problems: &mut Problems,
) {
    for number in ALIKE.into_iter().filter(|number| !shown.contains(number)) {
        let made = becomes(number).filter(|made| EMERGENCY.contains(&made.as_str()));
        let rule = rules.choose(number).and_then(|index| list.get(index));
        let (Some(made), Some(when)) = (made, rule.and_then(|rule| rule.when.as_ref())) else { continue };
        problems
            .warning(
                "W1103",
                &when.spot,
                format!("规则会把 {number} 当成 {made}"),
                format!("the rule would take {number} for {made}"),
            )
            .effect(
                format!("举报火灾隐患的来电会打到 {made}，占用救命的线路"),
                format!(
                    "calls about fire hazards would go to {made}, and take up lines that lives depend on"
                ),
            )
            .remedy(
                format!("用 length 限定位数，或在前面加一条 {{ when = \"{number}\", keep = true }}"),
                format!("say length, or put {{ when = \"{number}\", keep = true }} in front of it"),
            );
    }
}

fn lost(rule: &RuleTable, number: &str, becomes: &str, problems: &mut Problems) {
    let Some(when) = &rule.when else { return };
    problems
        .error(
            "E0626",
            &when.spot,
            format!("规则把 {number} 改成了 {becomes}"),
            format!("the rule turns {number} into {becomes}"),
        )
        .effect(
            "紧急热线会打到别处，或者别的来电会打到紧急热线，可能危及生命",
            "calls to an emergency number would go elsewhere, or other calls to one, which can cost a life",
        )
        .remedy(
            format!("在它前面加一条 {{ when = \"{number}\", keep = true }}，或改正这条规则"),
            format!("put {{ when = \"{number}\", keep = true }} in front of it, or correct the rule"),
        );
}
