//! Other platforms of the hotline: whose codes are known and one platform's only, a tree without circles, and trunks
//! by which nobody but they hands calls over.

use std::collections::{BTreeMap, BTreeSet};

use super::super::diagnostic::Spot;
use super::super::nearest::nearest;
use super::super::peers::is_org;
use super::super::proof::circles;
use super::super::source::{Problems, Said};
use super::super::tables::peers::PeerTable;
use super::super::tables::{Field, RoutingTable};
use super::super::values::out_of_range;
use super::references::trunks_of;
use super::ways;

/// Nobody is handed on more often by people who know what they do.
const HOPS_MAX: u8 = 10;
/// Digits of a division's code that its prefecture shares, and all of a division's own.
const PREFECTURE: usize = 4;
const DIVISION: usize = 6;

/// Runs over `[city] org` and all `[[peer]]`.
pub fn peers(table: &RoutingTable, problems: &mut Problems) {
    let own = table.city.as_ref().and_then(|city| city.org.as_ref());
    own.into_iter().for_each(|said| written(said, problems));
    for peer in &table.peers {
        [&peer.org, &peer.parent].into_iter().flatten().for_each(|said| written(said, problems));
        if let Some(said) = peer.hops_max.as_ref().filter(|said| !(1..=HOPS_MAX).contains(&said.value)) {
            out_of_range(&said.spot, &format!("1–{HOPS_MAX}"), problems);
        }
    }
    if own.is_none()
        && table.city.is_some()
        && let Some(said) = table.peers.iter().find_map(|peer| peer.org.as_ref())
    {
        nameless(&said.spot, problems);
    }
    once(own, table, problems);
    parents(own, table, problems);
    same_number(table, problems);
    trunks(table, problems);
}

fn written(said: &Said<String>, problems: &mut Problems) {
    if is_org(&said.value) {
        return;
    }
    problems
        .error(
            "E1701",
            &said.spot,
            format!("\"{}\" 不是机构编码", said.value),
            format!("\"{}\" is no organisation code", said.value),
        )
        .effect(
            "别的平台认不出是谁转来的电话，兜圈子的转接也认不出",
            "other platforms could not tell who handed a call over, nor that it goes round in a circle",
        )
        .remedy(
            "写行政区划代码：县以上 6 位，乡镇 9 位，村 12 位，如 \"410900\"",
            "write the division's code: 6 digits, 9 for a township, 12 for a village, like \"410900\"",
        );
}

fn nameless(spot: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E1705",
            spot,
            "有 [[peer]]，却没有写本平台的 [city] org",
            "there are [[peer]]s, and no [city] org of our own",
        )
        .effect(
            "转出去的电话没有署名，转了一圈回来也认不出，会占满中继",
            "calls would be handed over unsigned, and one that comes round again would not be known and fill the trunks",
        )
        .remedy("在 [city] 下写 org，如 org = \"410900\"", "write org under [city], like org = \"410900\"");
}

/// One code is one platform.
fn once(own: Option<&Said<String>>, table: &RoutingTable, problems: &mut Problems) {
    let mut seen: BTreeMap<&str, &Spot> =
        own.map(|said| (said.value.as_str(), &said.spot)).into_iter().collect();
    for said in table.peers.iter().filter_map(|peer| peer.org.as_ref()) {
        let Some(earlier) = seen.get(said.value.as_str()) else {
            seen.insert(&said.value, &said.spot);
            continue;
        };
        problems
            .error(
                "E1702",
                &said.spot,
                format!("机构编码 {} 出现两次", said.value),
                format!("the organisation code {} stands twice", said.value),
            )
            .effect(
                "来电算在哪个平台、能不能再转，会弄错",
                "calls would be counted as another platform's, and handed on or refused for another's sake",
            )
            .remedy("每个平台写自己的编码", "give each platform its own code")
            .related(earlier, "第一次", "first");
    }
}

/// Each parent is our own platform or another of the file, and none is above itself.
fn parents(own: Option<&Said<String>>, table: &RoutingTable, problems: &mut Problems) {
    let orgs = own.into_iter().chain(table.peers.iter().filter_map(|peer| peer.org.as_ref()));
    let known: BTreeSet<&str> = orgs.map(|said| said.value.as_str()).collect();
    let mut above: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut places: BTreeMap<&str, &Spot> = BTreeMap::new();
    for peer in &table.peers {
        let (Some(org), Some(parent)) = (&peer.org, &peer.parent) else { continue };
        if !known.contains(parent.value.as_str()) {
            unknown(parent, &known, problems);
            continue;
        }
        above.entry(&org.value).or_default().insert(&parent.value);
        places.insert(&org.value, &parent.spot);
        if parent.value != org.value {
            elsewhere(org, parent, problems);
        }
    }
    for circle in circles::among(above) {
        if let Some(spot) = circle.first().and_then(|first| places.get(first)) {
            round(&circle, spot, problems);
        }
    }
}

fn unknown(parent: &Said<String>, known: &BTreeSet<&str>, problems: &mut Problems) {
    let all: Vec<&str> = known.iter().copied().collect();
    problems
        .error(
            "E1703",
            &parent.spot,
            format!("上级 {} 不在这里", parent.value),
            format!("the parent {} is nobody here", parent.value),
        )
        .effect(
            "不知道这个平台归谁，上级的 hops_max 管不到它",
            "nobody could say whose platform it is, and its parent's hops_max would not hold for it",
        )
        .remedy(
            format!("写 [city] org 或另一个 [[peer]] 的 org，邻市不写 parent；已有: {}", all.join(", ")),
            format!(
                "write [city] org or another [[peer]]'s, and none for a neighbouring city; there are: {}",
                all.join(", ")
            ),
        )
        .nearest(nearest(&parent.value, all.iter().copied()));
}

fn round(circle: &[&str], spot: &Spot, problems: &mut Problems) {
    let names: Vec<&str> = circle.iter().chain(circle.first()).copied().collect();
    let way = names.join(" → ");
    problems
        .error(
            "E1704",
            spot,
            format!("上级绕成了圈：{way}"),
            format!("platforms are above one another in a circle: {way}"),
        )
        .effect(
            "谁是谁的上级说不清，转接的次数按谁的算也就说不清",
            "nobody could say who is above whom, nor whose bound on hand-overs holds",
        )
        .remedy("改正其中一个 parent", "correct one parent of them");
}

/// A county's code begins as its prefecture's, a township's as its county's.
fn elsewhere(org: &Said<String>, parent: &Said<String>, problems: &mut Problems) {
    if !is_org(&org.value) || !is_org(&parent.value) {
        return;
    }
    let shared = match (org.len(), parent.len()) {
        (DIVISION, DIVISION) => PREFECTURE,
        (_, above) => above,
    };
    if org.len() >= parent.len() && org.value.get(..shared) == parent.value.get(..shared) {
        return;
    }
    problems
        .warning(
            "W1701",
            &org.spot,
            format!("机构编码 {} 不属于上级 {}", org.value, parent.value),
            format!("the code {} does not lie within its parent's, {}", org.value, parent.value),
        )
        .effect(
            "多半写错了一个编码；对端报的编码与这里不符，它转来的电话就认不出",
            "one of the two is mistyped, mostly: calls that the platform signs with its own code would not be known",
        )
        .remedy("核对两处编码；确实跨区划的不必改", "compare both codes; where the platform does lie elsewhere, leave it")
        .related(&parent.spot, "上级", "the parent");
}

/// What a peer is called by there.
fn called(peer: &PeerTable) -> Option<&Said<String>> {
    peer.way.dial.as_ref().or(peer.way.number.as_ref())
}

/// Figures and records know a platform by the number that is called.
fn same_number(table: &RoutingTable, problems: &mut Problems) {
    let mut seen: BTreeMap<&str, (&Spot, bool)> = BTreeMap::new();
    for peer in &table.peers {
        let (Some(said), own) = (called(peer), peer.way.dial.is_none()) else { continue };
        let Some((earlier, also_own)) = seen.insert(&said.value, (&said.spot, own)) else { continue };
        if own && also_own {
            continue; // A number that stands twice has an error of its own.
        }
        problems
            .error(
                "E1706",
                &said.spot,
                format!("两个平台的对端号码都是 {}", said.value),
                format!("two platforms are called by {}", said.value),
            )
            .effect(
                "记录和报表分不清转给了谁",
                "records and reports could not tell to whom a call was handed over",
            )
            .remedy(
                "dial 带上区号，如 \"037212345\"；对端只认 12345 的，用中继的 rewrite 改写",
                "give dial with its area code, like \"037212345\"; where the far side knows 12345 only, rewrite it on the trunk",
            )
            .related(earlier, "第一次", "first");
    }
}

/// Whose calls come by the trunks of those who hand calls over.
fn trunks(table: &RoutingTable, problems: &mut Problems) {
    let others = others(table);
    let mut theirs: BTreeSet<&str> = BTreeSet::new();
    for peer in table.peers.iter().filter(|peer| peer.hands_over.as_ref().is_none_or(|said| said.value)) {
        let Some(way) = &peer.way.trunk else { continue };
        let members = trunks_of(table, &way.value);
        theirs.extend(&members);
        if let Some(other) = others.iter().find(|other| members.iter().any(|own| other.ways.contains(own))) {
            shared(way, other.spot, problems);
            continue;
        }
        let brings = |name: &&str| {
            let mut trunks = table.trunks.iter();
            let own = |said: &Field<String>| said.as_ref().is_some_and(|said| said.value == **name);
            trunks.any(|trunk| {
                let trusted = trunk.trust_identity.as_ref().is_none_or(|said| said.value);
                own(&trunk.name) && ways::brings(trunk) && !trusted
            })
        };
        if members.iter().any(brings) {
            untrusted(way, problems);
        }
    }
    let mut bring =
        table.trunks.iter().filter(|trunk| ways::brings(trunk) && !ways::is_center(trunk)).peekable();
    let whose = |name: &Field<String>| name.as_ref().is_none_or(|said| theirs.contains(said.value.as_str()));
    if table.is_live() && bring.peek().is_some() && bring.all(|trunk| whose(&trunk.name)) {
        let first = table.peers.iter().find_map(|peer| peer.way.trunk.as_ref());
        first.into_iter().for_each(|way| no_citizens(way, problems));
    }
}

/// Somebody else who goes by trunks.
struct Other<'t> {
    ways: Vec<&'t str>,
    spot: &'t Spot,
}

/// All but peers by whom trunks are used.
fn others(table: &RoutingTable) -> Vec<Other<'_>> {
    let numbers = table.numbers.iter().map(|line| &line.trunk);
    let emergencies = table.emergencies.iter().map(|own| &own.trunk);
    let departments = table.departments.iter().map(|own| &own.trunk);
    let outside = table.calling.iter().map(|own| &own.trunk);
    let all = numbers.chain(emergencies).chain(departments).chain(outside).flatten();
    all.map(|said| Other { ways: trunks_of(table, &said.value), spot: &said.spot }).collect()
}

fn shared(way: &Said<String>, other: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E1707",
            &way.spot,
            format!("中继 \"{}\" 不只通向这个平台", way.value),
            format!("the trunk \"{}\" does not lead to this platform alone", way.value),
        )
        .effect(
            "经它打来的市民会被当成平台转来的，优先级和记录都不对",
            "citizens who call by it would pass for calls that the platform handed over, with its priority and in its name",
        )
        .remedy(
            "给平台单独的中继；它不经这条中继转来电话的，写 hands_over = false",
            "give the platform a trunk of its own, or say hands_over = false where it hands no calls over by this one",
        )
        .related(other, "也走这条中继", "goes by it, too");
}

fn untrusted(way: &Said<String>, problems: &mut Problems) {
    problems
        .warning(
            "W1702",
            &way.spot,
            format!("平台的中继 \"{}\" 不受信任", way.value),
            format!("the platform's trunk \"{}\" is not trusted", way.value),
        )
        .effect(
            "对方报的机构编码（Organization）和来电人号码（P-Asserted-Identity）都不采信；几个平台同走一条中继时分不清是谁",
            "what it says of itself (Organization) and of the caller (P-Asserted-Identity) is not believed; where several platforms are behind one trunk, nobody could say which it was",
        )
        .remedy(
            "政务专网的中继写 trust_identity = true",
            "write trust_identity = true for a trunk within the government's network",
        );
}

fn no_citizens(way: &Said<String>, problems: &mut Problems) {
    problems
        .error(
            "E1708",
            &way.spot,
            "能打进来的中继全是平台的，市民没有来路",
            "all trunks that bring calls are platforms': none is left for citizens",
        )
        .effect(
            "每个来电都会记成平台转来的，并按它的优先级排队",
            "each call would be recorded as handed over by a platform and wait with its priority",
        )
        .remedy(
            "加上运营商的中继；平台其实走运营商的，写 hands_over = false",
            "add the carrier's trunk, or say hands_over = false where the platform goes by the carrier's",
        );
}
