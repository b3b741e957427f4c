//! Menus: keys that a telephone has, 0 for a person, and no menu behind a menu.

use super::super::super::diagnostic::Spot;
use super::super::super::script::PERSON_KEY;
use super::super::super::source::{Problems, Said};
use super::super::super::tables::RoutingTable;
use super::super::super::tables::script::ActTable;
use super::graph::Graph;

/// Keys that may lead to a flow.
const KEYS: &str = "123456789*#";

/// Each key of a menu is one of a telephone's, and not taken for something else.
pub fn keys(act: &ActTable, table: &RoutingTable, problems: &mut Problems) {
    let ActTable::Menu(menu) = act else { return };
    let Some(keys) = &menu.keys else { return };
    if keys.value.0.is_empty() {
        problems
            .error("E1009", &keys.spot, "菜单里没有按键", "a menu without a key")
            .effect("来电人听了菜单也选不了", "callers would be asked and could choose nothing")
            .remedy(
                "写上按键，如 keys = { \"1\" = \"…\" }，或改用 play",
                "give it keys, like keys = { \"1\" = \"…\" }, or use play",
            );
    }
    let urgent = table.callers.as_ref().and_then(|callers| callers.urgent_key.as_ref());
    for (key, _) in &keys.value.0 {
        let mut letters = key.value.chars();
        match (letters.next(), letters.next()) {
            (Some(PERSON_KEY), None) => person_key(&key.spot, problems),
            (Some(letter), None) if KEYS.contains(letter) => {
                if let Some(urgent) = urgent.filter(|urgent| urgent.value.0 == letter) {
                    urgent_key(key, &urgent.spot, problems);
                }
            }
            _ => no_key(key, problems),
        }
    }
}

fn person_key(spot: &Spot, problems: &mut Problems) {
    problems
        .error("E1011", spot, "按 0 在任何地方都转人工", "0 leads to a person everywhere")
        .effect(
            "来电人习惯按 0 找人，按了却去了别处",
            "callers press 0 to find a person, and would end up elsewhere",
        )
        .remedy("换一个按键；0 不必写", "choose another key; 0 needs no mention");
}

fn urgent_key(key: &Said<String>, urgent: &Spot, problems: &mut Problems) {
    problems
        .error(
            "E1012",
            &key.spot,
            format!("{} 是表示紧急的按键", key.value),
            format!("{} is the key that says that it is urgent", key.value),
        )
        .effect(
            "来电人选了菜单，却被当作紧急来电",
            "callers who choose from the menu would be taken for urgent, or urgent ones sent to the menu's flow",
        )
        .remedy("换一个按键，或改 [callers] urgent_key", "choose another key, or another [callers] urgent_key")
        .related(urgent, "紧急键", "the urgent key");
}

fn no_key(key: &Said<String>, problems: &mut Problems) {
    problems
        .error(
            "E1010",
            &key.spot,
            format!("\"{}\" 不是电话上的按键", key.value),
            format!("\"{}\" is no key of a telephone", key.value),
        )
        .effect("来电人按不出来，这一项谁也选不到", "nobody could press it, and nobody choose it")
        .remedy("写 1 到 9、* 或 # 中的一个", "one of 1 to 9, * or #");
}

/// No menu is come to from a menu: one level is enough, and the second is where callers give up.
pub fn depth(graph: &Graph<'_>, problems: &mut Problems) {
    let menu = |place| match graph.written(place) {
        Some(ActTable::Menu(menu)) => menu.prompt.as_ref(),
        _ => None,
    };
    let mut noted = Vec::new();
    for place in graph.places() {
        let Some(outer) = menu(place) else { continue };
        let behind = graph.reached(graph.after(place).into_iter().map(|(_, next)| next));
        for inner in behind.into_iter().filter_map(menu) {
            if noted.contains(&&inner.spot) {
                continue;
            }
            noted.push(&inner.spot); // One menu too deep is one problem, however many menus lead to it.
            let found = problems
                .error("E1013", &inner.spot, "菜单后面又是菜单", "a menu behind a menu")
                .effect(
                    "来电人要连听几层菜单才找得到事、找得到人",
                    "callers would have to hear menu after menu before they find their matter, or a person",
                )
                .remedy(
                    "合成一层，或把后一个菜单改成 play、collect；回到同一个菜单的，改成 hang_up 或转人工",
                    "make one menu of them, or let the second be play or collect; where it leads back to the same, end with hang_up or a person",
                );
            if inner.spot != outer.spot {
                found.related(&outer.spot, "前一个菜单", "the menu before it");
            }
        }
    }
}
