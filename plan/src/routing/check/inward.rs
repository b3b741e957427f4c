//! Published numbers as carriers deliver them: each finds its line, whatever the rules of the trunk make of it.
//!
//! What is proved of a line's hours is proved of calls that come to the line. A rule that takes 12345 for another number
//! would make all of it a lie, as would a trunk that looks for the dialled number where a call that was dialled directly
//! does not say it.

use std::collections::BTreeMap;

use super::super::build;
use super::super::diagnostic::Spot;
use super::super::plan::{City, DialledFrom};
use super::super::rewrite::Rules;
use super::super::source::{Problems, Said};
use super::super::tables::trunk::RuleTable;
use super::super::tables::{ModeWord, NumberTable, RoutingTable, TrunkTable};
use super::ways::{Ways, brings};

/// One trunk by which calls come in.
struct Inward<'t> {
    trunk: &'t TrunkTable,
    rules: Rules,
    list: &'t [RuleTable],
    /// What stands in front of numbers there, by the examples of rules that take it off; nothing is among it.
    prefixes: Vec<&'t str>,
    public: bool,
}

/// What the rules of a trunk do to a number.
#[derive(Default)]
struct Made<'t> {
    /// Some form of it finds its line.
    found: bool,
    /// Rules that make it of none of the forms that they are for: by their place, a form, what becomes of it, and whether
    /// that is a line.
    lost: BTreeMap<usize, (String, String, Option<&'t NumberTable>)>,
}

/// Runs over all numbers that citizens dial.
pub fn numbers(table: &RoutingTable, problems: &mut Problems) {
    let Some(ways) = Ways::of(table) else { return };
    let trunks: Vec<Inward<'_>> = table.trunks.iter().filter_map(|trunk| Inward::of(trunk, &ways)).collect();
    let mut blamed: Vec<&Spot> = Vec::new();
    for (dialled, line) in &ways.lines {
        let Some(number) = line.numbers().find(|said| said.value == *dialled) else { continue };
        let mut brought = false;
        let mut because: Option<&Spot> = None;
        for inward in &trunks {
            let made = inward.make(number, &ways);
            for (place, (form, becomes, other)) in &made.lost {
                let Some(when) = inward.list.get(*place).and_then(|rule| rule.when.as_ref()) else {
                    continue;
                };
                because = because.or(Some(&when.spot).filter(|_| inward.public));
                let excused = other.is_some_and(|other| !inward.public || is_primary(other));
                // One number is enough to tell of a rule.
                if !excused && !blamed.contains(&&when.spot) && !problems.has("E0626", &when.spot) {
                    blamed.push(&when.spot);
                    lost(&when.spot, form, becomes, other.is_some(), problems);
                }
            }
            if inward.public && made.found {
                let elsewhere = inward.looks_elsewhere().filter(|_| is_primary(line));
                brought |= elsewhere.is_none();
                because = because.or(elsewhere);
            }
        }
        let any = trunks.iter().any(|inward| inward.public);
        if table.is_live() && any && !brought && because.is_none_or(|spot| !blamed.contains(&spot)) {
            never_found(number, because, problems);
        }
    }
}

fn is_primary(line: &NumberTable) -> bool {
    line.mode.as_ref().is_some_and(|mode| mode.value == ModeWord::Primary)
}

impl<'t> Inward<'t> {
    /// `None`: no call comes by it, or its rules are not whole.
    fn of(trunk: &'t TrunkTable, ways: &Ways<'t>) -> Option<Self> {
        let name = trunk.name.as_ref().filter(|_| brings(trunk))?;
        let list = trunk.rewrite.as_ref().map_or(&[][..], |rewrite| &rewrite.called_inward[..]);
        let mut prefixes = vec![""];
        // A rule that puts something in its place takes off a part of the number, and not what stands in front of it.
        for rule in list.iter().filter(|rule| rule.add.is_none()) {
            let chars = rule.strip.as_ref().map_or(0, |said| usize::from(said.value));
            let from = rule.examples.iter().filter_map(|example| example.from.as_ref());
            prefixes.extend(from.filter_map(|said| said.value.0.get(..chars)));
        }
        prefixes.sort_unstable();
        prefixes.dedup();
        let public = ways.public().contains(name.value.as_str());
        Some(Inward { trunk, rules: build::rules(list)?, list, prefixes, public })
    }

    /// Where it looks for the dialled number, if a call that nobody forwarded does not say it there.
    fn looks_elsewhere(&self) -> Option<&'t Spot> {
        let asked = self.trunk.dialled_from.as_ref()?; // Said wrongly, and noted.
        let direct = |place: &Said<DialledFrom>| match place.value {
            DialledFrom::RequestUri | DialledFrom::To | DialledFrom::PCalledPartyId => true,
            DialledFrom::HistoryInfo | DialledFrom::Diversion => false,
        };
        (!asked.value.is_empty() && !asked.value.iter().any(direct)).then_some(&asked.spot)
    }

    fn make(&self, number: &str, ways: &Ways<'t>) -> Made<'t> {
        let mut made = Made::default();
        let mut kept: Vec<usize> = Vec::new();
        for form in forms(number, &ways.city) {
            for prefix in &self.prefixes {
                let form = format!("{prefix}{form}");
                let becomes = self.rules.apply(&form).into_owned();
                let finds = ways.city.normalise(&becomes).is_some_and(|id| id.as_str() == number);
                made.found |= finds;
                let Some(rule) = self.rules.choose(&form) else { continue };
                if finds {
                    kept.push(rule);
                } else {
                    let other = ways.line(&becomes).map(|(_, line)| line);
                    made.lost.entry(rule).or_insert((form, becomes, other));
                }
            }
        }
        made.lost.retain(|rule, _| !kept.contains(rule));
        made
    }
}

/// A number as it may come: short, with the area code, with the country's, and as some carriers write those that are the
/// same everywhere.
fn forms(number: &str, city: &City) -> Vec<String> {
    let (area, country) = (city.area_code.as_str(), city.country_code.as_str());
    let within = area.trim_start_matches('0');
    let forms = [
        number.to_owned(),
        format!("{area}{number}"),
        format!("+{country}{within}{number}"),
        format!("00{country}{within}{number}"),
        format!("+{country}{number}"),
    ];
    let known = |form: &String| city.normalise(form).is_some_and(|id| id.as_str() == number);
    forms.into_iter().filter(known).collect()
}

fn lost(spot: &Spot, form: &str, becomes: &str, is_line: bool, problems: &mut Problems) {
    let (zh, en) = match is_line {
        true => ("市民会接到另一条热线", "who dials it would come to another line"),
        false => (
            "拨打它的市民听到空号（404），一直打不进来",
            "who dials it would hear that there is no such number (404), always",
        ),
    };
    problems
        .error(
            "E0637",
            spot,
            format!("规则把公布的号码 {form} 改成了 {becomes}"),
            format!("the rule turns {form}, a published number, into {becomes}"),
        )
        .effect(zh, en)
        .remedy(
            format!("在它前面加一条 {{ when = \"{form}\", keep = true }}，或改正这条规则；对端送来的形式写在 examples 里"),
            format!("put {{ when = \"{form}\", keep = true }} in front of it, or correct the rule; what the far side sends belongs into its examples"),
        );
}

fn never_found(number: &Said<String>, because: Option<&Spot>, problems: &mut Problems) {
    let noted = problems
        .error(
            "E0638",
            &number.spot,
            format!("没有一条中继能把拨打 {} 的来电送到这里", number.value),
            format!("no trunk brings a call that was dialled to {} to its line", number.value),
        )
        .effect(
            "市民直接拨打这个号码，来电会被拒绝，或当作别的号码接起",
            "citizens who dial it would be refused, or answered as callers of another number",
        )
        .remedy(
            "让一条运营商中继的 dialled_from 包括 \"request_uri\"，并改正 called_inward 里改掉它的规则",
            "let dialled_from of a carrier's trunk have \"request_uri\", and correct the rule of called_inward that takes it",
        );
    if let Some(spot) = because {
        noted.related(spot, "因为这里", "because of this");
    }
}
