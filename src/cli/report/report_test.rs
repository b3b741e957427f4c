use super::*;
use crate::routing::kpi::Formula;
use crate::telemetry::kpi::{Calls, Service};

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn text_of(kpi: &Kpi, args: &Args, plan: &Plan) -> String {
    text(kpi, jiff::civil::date(2026, 11, 26), args, Some(plan))
}

fn shown(args: &[&str], kpi: &Kpi) -> String {
    let line = <Line as clap::Parser>::parse_from([&["report"], args].concat());
    let day = jiff::civil::date(2026, 11, 26);
    text(kpi, day, &line.args, None)
}

fn kpi() -> Kpi {
    let calls = Calls {
        opened: 12,
        asked: 10,
        answered: 9,
        abandoned: 1,
        within: 8,
        talked_ms: 3_723_400,
        ..Calls::default()
    };
    let service = Service {
        offered: 4,
        accepted: 3,
        unanswered: 1,
        handled: 3,
        talked_ms: 93_000,
        ..Service::default()
    };
    let mut kpi = Kpi { total: calls.clone(), repeat_callers: 2, ..Kpi::default() };
    kpi.lines.insert("12345".into(), calls.clone());
    kpi.queues.insert("主队列, \"一\"".into(), calls);
    kpi.targets.insert("sub_center/12366".into(), service);
    kpi
}

#[test]
fn a_day_is_told_in_both_languages_with_its_rates_and_times() {
    let text = shown(&[], &kpi());
    let line = |name: &str| -> String {
        let found = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{text}"));
        found.rsplit(' ').next().unwrap().to_owned()
    };
    assert!(text.starts_with("2026-11-26\n"));
    assert_eq!((line("接通率 / answer rate"), line("达标 / as wanted")), ("90.00%".into(), "否/no".into()));
    assert_eq!(
        (line("限时接通率 / in-time rate"), line("通话时长 / talk")),
        ("80.00%".into(), "1:02:03.4".into())
    );
    assert_eq!((line("平均等待 / mean wait"), line("重复来电人")), ("-".into(), "2".into()));
}

#[test]
fn rows_stand_under_their_headings_and_programs_get_plain_values() {
    let text = shown(&["--by", "target"], &kpi());
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].starts_with("转接对象") && lines[2].starts_with("target"), "{text}");
    assert!(lines[3].starts_with("sub_center/12366  4 ") && lines[3].contains("75.00%"), "{text}");
    // Where a column begins, it begins in each line, Chinese or not.
    let place = |line: &str, word: &str| {
        let before = &line[..line.find(word).unwrap()];
        before.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum::<usize>()
    };
    assert_eq!(place(lines[1], "应答率"), place(lines[2], "accept rate"));
    assert_eq!(place(lines[1], "应答率"), place(lines[3], "75.00%"));

    let json: serde_json::Value = serde_json::from_str(&shown(&["--by", "line", "--json"], &kpi())).unwrap();
    assert_eq!((&json["day"], &json["rows"][0]["line"]), (&"2026-11-26".into(), &"12345".into()));
    assert_eq!(
        (&json["rows"][0]["answer_rate"], &json["rows"][0]["talked_ms"]),
        (&0.9.into(), &3_723_400.into())
    );
    assert_eq!(json["rows"][0]["wait_mean_ms"], serde_json::Value::Null);

    let csv = shown(&["--by", "queue", "--csv"], &kpi());
    let mut rows = csv.split("\r\n");
    assert!(rows.next().unwrap().starts_with("queue,opened,asked,answered,answer_rate,"), "{csv}");
    assert!(rows.next().unwrap().starts_with("\"主队列, \"\"一\"\"\",12,10,9,0.9,false,"), "{csv}");
    let nobody = shown(&["--by", "seat", "--csv"], &kpi());
    assert!(nobody.starts_with("seat,offered,") && nobody.lines().count() == 1, "{nobody}");
}

#[test]
fn each_report_says_by_which_formulas_of_which_file_it_is() {
    let text = shown(&[], &kpi());
    assert!(text.contains("按默认口径评定 / judged by the usual formula\n"), "{text}");
    let formula = "口径“GB/T 33358-2016”：接通率 = 人工接通 ÷（求人工 − 仍在等待 − 不计入的），应达 95%；限时接通 = 15s 内人工接通，\
                   自进入排队或呼叫分中心起算；5s 内挂机为短时放弃\n  formula \"GB/T 33358-2016\": answer rate = answered ÷ \
                   (asked for a person − waiting still − left out), to be 95 %; in time = answered within 15s from being \
                   put into a queue, or a sub-center being called; gave up at once = within 5s\n";
    assert!(text.contains(formula), "{text}");
    assert!(
        text.ends_with("left out: of answer rates short_abandon; of satisfaction -; of first transfers -\n")
    );

    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
    let mut plan = plan_files::load(&file, &Overrides::default()).plan.expect("the shipped plan");
    let own = Formula { version: "部考核".into(), answer_rate: 80, ..Formula::default() };
    plan.kpi.usual = Formula { version: "2026-1".into(), answer_rate: 99, ..Formula::default() };
    plan.kpi.lines.insert("12345".into(), own);
    let by = |args: &[&str]| {
        let line = <Line as clap::Parser>::parse_from([&["report"], args].concat());
        text_of(&kpi(), &line.args, &plan)
    };
    let json: serde_json::Value = serde_json::from_str(&by(&["--by", "line", "--json"])).unwrap();
    assert_eq!(
        (&json["plan"], &json["formula"]["usual"]["version"]),
        (&plan.digest.clone().into(), &"2026-1".into())
    );
    assert_eq!(json["formula"]["lines"]["12345"]["answer_rate"], 80);
    let row = &json["rows"][0];
    assert_eq!((&row["formula"], &row["answer_rule_kept"]), (&"部考核".into(), &true.into()), "90 % of 80 %");
    let csv = by(&["--csv"]);
    let rows: Vec<&str> = csv.lines().collect();
    assert!(rows[0].contains(",answer_rule_kept,") && rows[0].ends_with(",plan"), "{csv}");
    assert!(rows[1].contains(",false,") && rows[1].contains(",2026-1,"), "{csv}");
    assert!(rows[1].ends_with(&plan.digest), "{csv}");
    let seats = by(&["--by", "target", "--csv"]);
    assert!(seats.lines().next().unwrap().ends_with(",formula,plan"), "{seats}");
    assert!(by(&[]).contains(&format!("（{}）评定", &plan.digest[..12])));
}

#[test]
fn a_day_is_the_citys() {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let (from, until) = bounds(jiff::civil::date(2021, 9, 1), &zone).unwrap();
    assert_eq!(
        (from.to_string(), until.to_string()),
        ("2021-08-31T16:00:00Z".into(), "2021-09-01T16:00:00Z".into())
    );
    assert_eq!(bounds(Date::MAX, &zone), None);
}
