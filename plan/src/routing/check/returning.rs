//! Calls that come back: nobody is put through to a number that rings here, by no trunk, whatever its rules make of it.
//!
//! A center's number that its own trunk calls is right. The same number by a carrier comes in again; and centers that
//! call one another's numbers call on and on.

use std::collections::{BTreeMap, BTreeSet};

use super::super::diagnostic::Spot;
use super::super::proof::circles;
use super::super::rewrite::Rules;
use super::super::source::{Problems, Said};
use super::super::tables::trunk::RuleTable;
use super::super::tables::{ModeWord, NumberTable, RoutingTable, TrunkTable};
use super::ways::Ways;

/// Who is put through to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner<'t> {
    /// The seats of a line that are elsewhere.
    Line(&'t str),
    /// An emergency number.
    Emergency(&'t str),
    /// A department.
    Department,
    /// Another platform of the hotline, which is 12345 there as here.
    Platform,
}

/// A number that is called for somebody by a trunk or a group.
struct Outward<'t> {
    owner: Owner<'t>,
    /// As it is dialled, before any trunk's rules.
    number: &'t Said<String>,
    /// Where it is said, or by which trunk it is called where it is the owner's own.
    spot: &'t Spot,
    way: &'t str,
}

/// One of our numbers that goes out.
struct Returning<'o, 't> {
    outward: &'o Outward<'t>,
    /// What the trunk's rules made of it.
    called: String,
    /// The rule that did.
    rule: Option<&'t RuleTable>,
    trunk: &'t str,
}

/// Runs over all who are put through to.
pub fn own_numbers(table: &RoutingTable, problems: &mut Problems) {
    let Some(ways) = Ways::of(table) else { return };
    let mut among_centers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut places: BTreeMap<&str, &Spot> = BTreeMap::new();
    for outward in outward(table) {
        let targeted = |way: &(&TrunkTable, &Rules)| way.0.target.is_some();
        for (trunk, rules) in ways.by(outward.way).filter(targeted) {
            let (number, name) = (outward.number.value.as_str(), trunk.name.as_ref());
            let called = rules.apply(number).into_owned();
            let (Some((_, line)), Some(name)) = (ways.line(&called), name) else { continue };
            let rule = rules.choose(number).and_then(|place| rule_at(trunk, place));
            let Some(target) = line.number.as_ref().map(|said| said.value.as_str()) else { continue };
            let public = ways.public().contains(name.value.as_str());
            let found = Returning { called, rule, trunk: &name.value, outward: &outward };
            match outward.owner {
                Owner::Platform if !public => continue, // Its 12345, and not ours.
                _ if !line.is_elsewhere() => found.note(round_and_round(), problems),
                Owner::Emergency(number) => found.note(astray(number, target), problems),
                Owner::Line(own) if public && own == target => found.note(round_and_round(), problems),
                Owner::Line(_) | Owner::Department | Owner::Platform if public => {
                    found.note(once_more(target), problems)
                }
                Owner::Line(own) if own != target => {
                    among_centers.entry(own).or_default().insert(target);
                    places.entry(own).or_insert(outward.spot);
                    continue;
                }
                Owner::Line(_) | Owner::Department | Owner::Platform => continue, // Its own number by its own trunk.
            }
            break; // Another trunk of the group would say the same.
        }
    }
    for circle in circles::among(among_centers) {
        if let Some(spot) = circle.first().and_then(|first| places.get(first)) {
            goes_round(&circle, spot, problems);
        }
    }
}

fn rule_at(trunk: &TrunkTable, place: usize) -> Option<&RuleTable> {
    trunk.rewrite.as_ref()?.called.get(place)
}

/// All who are put through to. Lines of load tools call what they are told to: where that is said, it is looked at.
fn outward(table: &RoutingTable) -> impl Iterator<Item = Outward<'_>> {
    let lines = table.numbers.iter().filter_map(|line| {
        let number = line.number.as_ref()?;
        let goes_out = line.is_elsewhere() || is_bench(line) && line.dial.is_some();
        called_for(Owner::Line(&number.value), number, &line.dial, &line.trunk).filter(|_| goes_out)
    });
    let peers = table.emergencies.iter().filter_map(|peer| {
        let number = peer.number.as_ref()?;
        called_for(Owner::Emergency(&number.value), number, &peer.dial, &peer.trunk)
    });
    let departments = table.departments.iter().filter_map(|department| {
        called_for(Owner::Department, department.number.as_ref()?, &department.dial, &department.trunk)
    });
    let platforms = table
        .peers
        .iter()
        .map(|peer| &peer.way)
        .filter_map(|own| called_for(Owner::Platform, own.number.as_ref()?, &own.dial, &own.trunk));
    lines.chain(peers).chain(departments).chain(platforms)
}

fn is_bench(line: &NumberTable) -> bool {
    line.mode.as_ref().is_some_and(|mode| mode.value == ModeWord::Bench)
}

fn called_for<'t>(
    owner: Owner<'t>,
    own: &'t Said<String>,
    dial: &'t Option<Said<String>>,
    way: &'t Option<Said<String>>,
) -> Option<Outward<'t>> {
    let way = way.as_ref()?;
    let (number, spot) = dial.as_ref().map_or((own, &way.spot), |dial| (dial, &dial.spot));
    Some(Outward { owner, number, spot, way: &way.value })
}

/// What callers would notice.
type Effect = (String, String);

fn round_and_round() -> Effect {
    (
        "来电转出去又回到本平台，一圈一圈占满中继，谁也接不到".to_owned(),
        "the call would go out and come in again, round and round until the trunks are full, and nobody answers".to_owned(),
    )
}

fn once_more(target: &str) -> Effect {
    (
        format!("来电转出去又作为 {target} 的来电打回本平台，再转一次；要是又转回来，就一圈一圈占满中继"),
        format!(
            "the call would go out and come in again as one to {target}, to be put through once more; where that leads back, round and round until the trunks are full"
        ),
    )
}

fn astray(number: &str, target: &str) -> Effect {
    (
        format!("座席请 {number} 时会接到 {target}，可能危及生命"),
        format!("a clerk who asks for {number} would get {target}, which can cost a life"),
    )
}

impl Returning<'_, '_> {
    fn note(&self, effect: Effect, problems: &mut Problems) {
        let Returning { outward, called, rule, trunk } = self;
        let (zh, en) = match rule {
            Some(_) => (
                format!(
                    "经中继 \"{trunk}\" 转往 {}，改写成 {called}，这正是本平台的号码",
                    outward.number.value
                ),
                format!(
                    "puts callers through to {}, which the rules of the trunk \"{trunk}\" make {called}, a number of this hotline",
                    outward.number.value
                ),
            ),
            None => (
                format!("转往 {called}，这正是本平台的号码"),
                format!("puts callers through to {called}, which is a number of this hotline"),
            ),
        };
        let noted = problems.error("E1104", outward.spot, zh, en).effect(effect.0, effect.1).remedy(
            "写对端自己的号码（dial），并经通往对端的中继；自己的号码只能由分中心自己的中继呼叫",
            "give the far side's own number as dial, and a trunk that leads there; a center's published number is called by its own trunk only",
        );
        if let Some(when) = rule.and_then(|rule| rule.when.as_ref()) {
            noted.related(&when.spot, "这条规则改写", "rewritten by this rule");
        }
    }
}

fn goes_round(circle: &[&str], spot: &Spot, problems: &mut Problems) {
    let names: Vec<&str> = circle.iter().chain(circle.first()).copied().collect();
    let way = names.join(" → ");
    let (zh, en) = round_and_round();
    problems
        .error(
            "E1104",
            spot,
            format!("号码互相转接，兜圈子：{way}"),
            format!("numbers are put through to one another in a circle: {way}"),
        )
        .effect(zh, en)
        .remedy("dial 写各分中心自己的号码", "give each center's own number as dial");
}
