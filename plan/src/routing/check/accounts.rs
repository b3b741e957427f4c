//! One secret for one account: who knows it is that account, and nobody else.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::super::diagnostic::Spot;
use super::super::plan::SecretRef;
use super::super::source::{Problems, Said};
use super::super::tables::RoutingTable;

/// Where a secret is, however it is written.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    File(PathBuf),
    Environment(String),
}

pub(super) fn place(secret: &SecretRef) -> Place {
    match secret {
        SecretRef::File(file) => {
            let parts = Path::new(file).components().filter(|part| *part != Component::CurDir);
            Place::File(parts.collect())
        }
        SecretRef::Env(name) => Place::Environment(name.clone()),
    }
}

/// Every account of the plan, with its secret.
pub(super) fn accounts(table: &RoutingTable) -> impl Iterator<Item = &Said<SecretRef>> {
    let seats = table.seats.iter().map(|seat| &seat.secret);
    let tokens = table.tokens.iter().map(|token| &token.secret);
    let trunks =
        table.trunks.iter().filter_map(|trunk| trunk.account.as_ref()).map(|account| &account.password);
    let sinks = table.sinks.iter().map(|sink| &sink.secret);
    let look_ups = table.look_ups.iter().map(|look_up| &look_up.secret);
    let bots = table.bots.iter().map(|bot| &bot.secret);
    let feeds = table.feeds.iter().map(|feed| &feed.secret);
    let kb = table.kb.iter().map(|kb| &kb.secret);
    let adapters = sinks.chain(feeds).chain(look_ups).chain(bots).chain(kb);
    seats.chain(tokens).chain(trunks).chain(adapters).flatten()
}

/// No two of them have one secret.
pub fn secrets(table: &RoutingTable, problems: &mut Problems) {
    let mut seen: BTreeMap<Place, &Spot> = BTreeMap::new();
    for said in accounts(table) {
        let Some(first) = seen.insert(place(&said.value), &said.spot) else { continue };
        problems
            .error("E0124", &said.spot, "两个账号用同一个口令", "two accounts have one secret")
            .effect(
                "知道其中一个的人就有另一个的权限，台账也说不清是谁",
                "whoever has one has the rights of the other, and the ledger could not tell who it was",
            )
            .remedy("各用各的文件或环境变量", "give each a file or a variable of its own")
            .related(first, "第一次", "first");
    }
}
