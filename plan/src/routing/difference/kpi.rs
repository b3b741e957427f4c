//! `[kpi]`, described.

use super::super::kpi::{Exclude, Exclusion, Formula, Kpi};
use super::describe::{Item, row};
use super::kind::Kind;

/// The city's own.
pub(super) fn usual(kpi: &Kpi) -> Item {
    let Kpi { usual, lines: _, exclude } = kpi; // Lines are things of their own.
    let Exclude { answer, satisfaction, transfer } = exclude;
    let words = |list: &[Exclusion]| row(list.iter().map(Exclusion::word));
    let item = formula(Item::section(Kind::Kpi), usual)
        .with("接通率不计入", "left out of answer rates", words(answer))
        .with("满意率不计入", "left out of satisfaction", words(satisfaction))
        .with("转接准确率不计入", "left out of first transfers", words(transfer));
    let drills = [answer, satisfaction, transfer].map(|list| {
        list.iter().find_map(|own| match own {
            Exclusion::Drill(trunks) => Some(trunks),
            Exclusion::ShortAbandon | Exclusion::Line(_) | Exclusion::Code(_) | Exclusion::Trunk(_) => None,
        })
    });
    item.rest(&drills)
}

/// Lines that are judged by their own.
pub(super) fn lines(kpi: &Kpi) -> Vec<Item> {
    kpi.lines.iter().map(|(line, own)| formula(Item::named(Kind::KpiLine, line), own)).collect()
}

fn formula(item: Item, formula: &Formula) -> Item {
    let Formula { version, answer_within, answer_rate, short_abandon, clock } = formula;
    item.with("名称", "called", version)
        .with_span("接通时限", "answered within", *answer_within)
        .with("应达接通率", "answer rate", format!("{answer_rate}%"))
        .with("计时自", "clock", clock.word())
        .with_span("短时放弃", "gave up at once", *short_abandon)
}
