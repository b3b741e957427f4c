//! Which figures are shown, and what they are called. Their formulas are with them, in `telemetry::kpi`.

use super::table::{Cell, Heading, Table};
use crate::routing::kpi::{Formula, Kpi as Rules};
use crate::telemetry::kpi::{Calls, Kpi, Satisfaction, Service, Spread};

type Figure = (Heading, Cell);

/// The day in one row.
pub(super) fn total(kpi: &Kpi, rules: &Rules) -> Table {
    let mut figures = of_calls(&kpi.total, &rules.usual);
    figures.push((
        ("repeat_callers", "重复来电人", "callers who called again"),
        Cell::Count(kpi.repeat_callers),
    ));
    figures.push((("repeat_calls", "重复来电", "their further calls"), Cell::Count(kpi.repeat_calls)));
    let outward = kpi.outward.values().sum();
    figures.push((("outward", "呼出及内部通话", "calls by clerks and the house"), Cell::Count(outward)));
    table([figures])
}

/// A row for each line, queue or department, each with the formula that says what is wanted of it.
pub(super) fn calls<'a>(
    by: &'static str,
    rows: impl Iterator<Item = (String, &'a Calls)>,
    formula: impl Fn(&str) -> &'a Formula,
) -> Table {
    let row = |(name, calls): (String, &Calls)| {
        let judged_by = formula(&name);
        let mut figures = vec![(name_of(by), Cell::Text(name))];
        figures.extend(of_calls(calls, judged_by));
        figures
    };
    let rows: Vec<_> = rows.map(row).collect();
    if rows.is_empty() { empty(name_of(by), of_calls(&Calls::default(), formula(""))) } else { table(rows) }
}

/// A row for each seat or target.
pub(super) fn services<'a>(by: &'static str, rows: impl Iterator<Item = (String, &'a Service)>) -> Table {
    let row = |(name, service): (String, &Service)| {
        let mut figures = vec![(name_of(by), Cell::Text(name))];
        figures.extend(of_service(service));
        if by == "seat" {
            figures.extend(of_satisfaction(&service.satisfaction));
        }
        figures
    };
    let rows: Vec<_> = rows.map(row).collect();
    if rows.is_empty() { empty(name_of(by), of_service(&Service::default())) } else { table(rows) }
}

/// A row for each way to transfer.
pub(super) fn transfers(kpi: &Kpi) -> Table {
    let row = |(kind, transfers): (&String, &crate::telemetry::kpi::Transfers)| {
        vec![
            (name_of("kind"), Cell::Text(kind.clone())),
            count("requested", "发起", "begun", transfers.requested),
            count("accepted", "接受", "accepted", transfers.accepted),
            count("failed", "未成", "failed", transfers.failed),
            count("withdrawn", "撤回", "withdrawn", transfers.withdrawn),
            count("declined", "拒绝", "declined", transfers.declined),
        ]
    };
    let rows: Vec<_> = kpi.transfers.iter().map(row).collect();
    if rows.is_empty() { empty(name_of("kind"), Vec::new()) } else { table(rows) }
}

fn name_of(by: &str) -> Heading {
    match by {
        "line" => ("line", "号码", "line"),
        "queue" => ("queue", "队列", "queue"),
        "department" => ("department", "责任单位", "department"),
        "seat" => ("seat", "座席", "seat"),
        "target" => ("target", "转接对象", "target"),
        _ => ("kind", "转接方式", "kind"),
    }
}

fn count(name: &'static str, zh: &'static str, en: &'static str, count: u64) -> Figure {
    ((name, zh, en), Cell::Count(count))
}

fn rate(name: &'static str, zh: &'static str, en: &'static str, rate: Option<f64>) -> Figure {
    ((name, zh, en), Cell::Rate(rate))
}

fn span(name: &'static str, zh: &'static str, en: &'static str, ms: Option<u64>) -> Figure {
    ((name, zh, en), Cell::Span(ms))
}

fn of_calls(calls: &Calls, formula: &Formula) -> Vec<Figure> {
    let waits = &calls.waits;
    let mut figures = vec![
        count("opened", "来电", "calls", calls.opened),
        count("asked", "求人工", "asked for a person", calls.asked),
        count("answered", "人工接通", "answered", calls.answered),
        rate("answer_rate", "接通率", "answer rate", calls.answer_rate()),
        (("answer_rule_kept", "达标", "as wanted"), Cell::Yes(calls.is_rule_kept(formula.rate()))),
        count("within", "限时接通", "in time", calls.within),
        rate("within_rate", "限时接通率", "in-time rate", calls.within_rate()),
        rate(
            "within_of_call_rate",
            "限时接通率(自来电)",
            "in-time rate from INVITE",
            calls.within_of_call_rate(),
        ),
        span("wait_mean_ms", "平均等待", "mean wait", waits.mean_ms()),
        span("wait_p50_ms", "等待P50", "wait p50", waits.percentile_ms(50)),
        span("wait_p90_ms", "等待P90", "wait p90", waits.percentile_ms(90)),
        span("wait_p95_ms", "等待P95", "wait p95", waits.percentile_ms(95)),
        span("wait_max_ms", "最长等待", "longest wait", waits.max_ms()),
        count("abandoned", "放弃", "gave up", calls.abandoned),
        count("abandoned_short", "短时放弃", "gave up at once", calls.abandoned_short),
        count("overflowed", "溢出", "sent on", calls.overflowed),
        count("open", "仍在等待", "waiting still", calls.open),
        count("left_out", "不计入", "left out", calls.left_out.asked),
        count("missed", "漏接", "missed", calls.missed),
        count("called_back", "漏接已回", "called back", calls.called_back),
        rate("called_back_rate", "回拨率", "call-back rate", calls.called_back_rate()),
        span("talked_ms", "通话时长", "talk", Some(calls.talked_ms)),
        span("held_ms", "保持时长", "on hold", Some(calls.held_ms)),
        count("transfers", "转接", "transfers", calls.transfers),
        count("re_transfers", "再转接", "transfers again", calls.re_transfers),
        rate("first_correct_rate", "一次转接准确率", "first transfer right", calls.first_correct_rate()),
        count("articles", "用知识库", "used an article", calls.articles),
        count("settled", "直办", "settled at once", calls.settled),
        rate("settled_rate", "直办率", "settled-at-once rate", calls.settled_rate()),
    ];
    figures.extend(of_satisfaction(&calls.satisfaction));
    figures.extend([
        count("immediate", "立即交办", "to hand on at once", calls.immediate),
        count("immediate_in_time", "按时交办", "handed on in time", calls.immediate_in_time),
        count("immediate_late", "交办超时", "handed on late", calls.immediate_late),
        (("formula", "口径", "formula"), Cell::Text(formula.version.clone())),
    ]);
    figures
}

fn of_satisfaction(satisfaction: &Satisfaction) -> [Figure; 3] {
    [
        count("grades", "评价", "grades", satisfaction.given()),
        rate("satisfied_rate", "满意率", "satisfied", satisfaction.rate()),
        rate(
            "satisfied_rate_chased",
            "满意率(除外事项)",
            "satisfied, chased only",
            satisfaction.rate_chased(),
        ),
    ]
}

fn of_service(service: &Service) -> Vec<Figure> {
    let pick_up: &Spread = &service.pick_up;
    vec![
        count("offered", "振铃", "offered", service.offered),
        count("accepted", "应答", "accepted", service.accepted),
        rate("accept_rate", "应答率", "accept rate", service.accept_rate()),
        span("pick_up_mean_ms", "平均应答", "mean pick-up", pick_up.mean_ms()),
        span("pick_up_p90_ms", "应答P90", "pick-up p90", pick_up.percentile_ms(90)),
        count("unanswered", "未应答", "unanswered", service.unanswered),
        count("refused", "忙或拒接", "refused", service.refused),
        count("unreachable", "不可达", "unreachable", service.unreachable),
        count("withdrawn", "已撤回", "withdrawn", service.withdrawn),
        count("open", "振铃中", "ringing", service.open),
        count("after_hours", "非工作时间", "after hours", service.after_hours),
        count("declined", "未受理", "declined", service.declined),
        count("handled", "通话", "talks", service.handled),
        span("talked_ms", "通话时长", "talk", Some(service.talked_ms)),
        span("talk_mean_ms", "平均通话", "mean talk", service.talk_mean_ms()),
        span("held_ms", "保持时长", "hold", Some(service.held_ms)),
        span("consulted_ms", "咨询时长", "consulting", Some(service.consulted_ms)),
    ]
}

fn table(rows: impl IntoIterator<Item = Vec<Figure>>) -> Table {
    let mut headings = Vec::new();
    let rows = rows.into_iter().map(|row| {
        let (names, cells): (Vec<Heading>, Vec<Cell>) = row.into_iter().unzip();
        headings = names;
        cells
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    Table { headings, rows }
}

/// Headings without rows.
fn empty(name: Heading, figures: Vec<Figure>) -> Table {
    let headings = std::iter::once(name).chain(figures.into_iter().map(|(heading, _)| heading)).collect();
    Table { headings, rows: Vec::new() }
}
