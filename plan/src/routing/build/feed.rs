//! Feeds, and how patient the ways out of the house are.

use super::super::feed::{Feed, Pace};
use super::super::plan::{Sink, SinkKind};
use super::super::source::Said;
use super::super::tables::feed::{FeedTable, FeedWord, PaceTable};
use super::super::tables::{Field, RoutingTable};
use super::value;
use crate::id::LineId;

/// What the file leaves out is usual.
pub fn pace(table: &PaceTable) -> Pace {
    let usual = Pace::default();
    let retry = table.retry.as_ref();
    Pace {
        first: retry.and_then(|own| value(&own.first)).unwrap_or(usual.first),
        longest: retry.and_then(|own| value(&own.longest)).unwrap_or(usual.longest),
        at_once: value(&table.at_once).unwrap_or(usual.at_once),
        keep: value(&table.keep),
        warn_after: value(&table.warn_after).unwrap_or(usual.warn_after),
    }
}

/// With its owners' lines and departments.
pub fn feed(table: &FeedTable, all: &RoutingTable) -> Option<Feed> {
    let kind = match table.kind.as_ref()?.value {
        FeedWord::Jsonl => SinkKind::Jsonl { path: value(&table.path)? },
        FeedWord::Http => SinkKind::Http { url: value(&table.url)?, secret: value(&table.secret)? },
    };
    let sink =
        Sink { name: value(&table.name)?, kind, timeout: value(&table.timeout)?, pace: pace(&table.pace) };
    let owners = words(&table.owners);
    let is_theirs = |owner: &Field<String>| owner.as_ref().is_some_and(|said| owners.contains(&said.value));
    let of_owners = all.numbers.iter().filter(|line| is_theirs(&line.owner)).map(|line| &line.number);
    let of_experts =
        all.experts.iter().filter(|group| is_theirs(&group.department)).map(|group| &group.number);
    let theirs = of_owners.flatten().map(|said| said.value.clone());
    let departments = all.departments.iter().filter(|own| is_theirs(&own.name)).map(|own| &own.number);
    Some(Feed {
        lines: words(&table.lines)
            .into_iter()
            .chain(theirs)
            .map(|line| LineId::from(line.as_str()))
            .collect(),
        departments: departments.flatten().map(|said| LineId::from(said.value.as_str())).collect(),
        experts: of_experts.flatten().map(|said| LineId::from(said.value.as_str())).collect(),
        fields: words(&table.fields).into_iter().collect(),
        daily: value(&table.daily).map(|clock| clock.time()),
        owners,
        sink,
    })
}

fn words(said: &Field<Vec<Said<String>>>) -> Vec<String> {
    said.iter().flat_map(|said| &said.value).map(|said| said.value.clone()).collect()
}
