//! The list of the notice (濮政办〔2021〕30号, annex), typed here row by row, against the shipped plan.

use hotline::routing::Plan;
use hotline::routing::plan::{Line, LineMode, TrunkTarget};

use super::city::{at, edited, plan};

/// 序号, 名称, 号码, 责任单位, 设专家座席.
pub const LIST: [(&str, &str, &str, &str, bool); 28] = [
    ("1-1", "全国统一科技公益服务电话", "12396", "市科技局", false),
    ("1-2", "全国统一民政服务电话", "12349", "市民政局", false),
    ("1-3", "全国统一自然资源违法举报电话", "12336", "市自然资源和规划局", false),
    ("1-4", "全国统一商务领域举报投诉电话", "12312", "市商务局", false),
    ("1-5", "全国统一旅游资讯服务电话", "12301", "市文化广电旅游体育局", false),
    ("1-6", "火灾隐患举报投诉电话", "96119", "市消防救援支队", false),
    ("1-7", "全国防震减灾公益服务电话", "12322", "市防震减灾中心", false),
    ("1-8", "青少年服务台", "12355", "共青团濮阳市委", false),
    ("1-9", "职工维权服务热线", "12351", "市总工会", false),
    ("1-10", "全国残疾人维权服务电话", "12385", "市残联", false),
    ("1-11", "粮食和物资储备监管热线", "12325", "市粮食和储备局", false),
    ("2-1", "全国公共法律服务专用电话", "12348", "市司法局", true),
    ("2-2", "全国人力资源和社会保障服务电话", "12333", "市人力资源社会保障局", true),
    ("2-3", "环境保护投诉举报电话", "12369", "市生态环境局", false),
    ("2-4", "全国住房和城乡建设服务电话(数字城管)", "12319", "市城市管理局", false),
    ("2-5", "全国统一住房公积金热线服务电话", "12329", "市住房公积金中心", true),
    ("2-6", "全国交通运输服务监督电话", "12328", "市交通运输局", false),
    ("2-7", "全国农业系统公益服务电话", "12316", "市农业农村局", false),
    ("2-8", "全国文化市场举报电话", "12318", "市文化广电旅游体育局", false),
    ("2-9", "全国统一安全生产举报投诉电话", "12350", "市应急局", false),
    ("2-10", "12315市场监管投诉举报热线", "12315", "市市场监管局", false),
    ("2-11", "医疗保障服务热线", "12393", "市医保局", false),
    ("2-12", "全国扶贫监督举报平台电话", "12317", "市乡村振兴局", false),
    ("2-13", "妇女维权热线", "12338", "市妇联", false),
    ("2-14", "市老李热线", "4420000", "市城市管理局", false),
    ("3-1", "全国税务系统统一电话", "12366", "市税务局", false),
    ("3-2", "烟草专卖品市场监管举报电话", "12313", "市烟草局", false),
    ("3-3", "国家移民管理局咨询服务热线", "12367", "市公安局", false),
];

/// The emergency numbers, which the notice leaves out of the merger.
pub const EMERGENCY: [&str; 4] = ["110", "119", "120", "122"];

/// Numbers of one part of the list: 1 整体并入, 2 双号并行, 3 设分中心.
pub fn part(part: &str) -> impl Iterator<Item = &'static str> {
    let prefix = format!("{part}-");
    LIST.iter().filter(move |(row, ..)| row.starts_with(&prefix)).map(|(_, _, number, ..)| *number)
}

fn mode(line: &Line) -> &'static str {
    match line.mode {
        LineMode::Primary { .. } => "0",
        LineMode::Merged { .. } => "1",
        LineMode::Dual { .. } | LineMode::Retained { .. } => "2",
        LineMode::SubCenter { .. } => "3",
        LineMode::Bench(_) => "bench",
        LineMode::Meeting(_) => "meeting",
        LineMode::Watch { .. } => "watch",
    }
}

#[test]
fn the_shipped_plan_is_the_list_of_the_notice_row_by_row() {
    for (row, name, number, owner, expert) in LIST {
        let line = super::city::line(plan(), number);
        let shipped = (line.row.as_str(), line.name.as_str(), line.owner.as_str(), line.expert_seats);
        assert_eq!(shipped, (row, name, owner, expert), "{number}");
        assert_eq!(mode(line), row.split('-').next().expect("a part"), "{number}");
    }
    assert_eq!([part("1").count(), part("2").count(), part("3").count()], [11, 14, 3]);
}

#[test]
fn beside_the_28_there_is_12345_and_nothing_else() {
    let mut numbers: Vec<&str> = LIST.iter().map(|(_, _, number, ..)| *number).collect();
    numbers.push("12345");
    numbers.sort_unstable();
    let shipped: Vec<&str> = plan().lines.values().map(|line| line.number.as_str()).collect();
    assert_eq!(shipped, numbers);
    assert_eq!(mode(super::city::line(plan(), "12345")), "0");
}

#[test]
fn the_four_emergency_numbers_are_peers_to_be_called_and_in_drill() {
    let peers: Vec<_> = plan().emergency.iter().map(|(number, peer)| (number.as_str(), peer.drill)).collect();
    assert_eq!(peers, EMERGENCY.map(|number| (number, true)));
}

#[test]
fn each_sub_center_has_a_trunk_of_its_own_that_points_at_nothing_real() {
    let mut trunks = Vec::new();
    for number in part("3") {
        let LineMode::SubCenter { peer, .. } = &super::city::line(plan(), number).mode else {
            panic!("{number} is a sub-center");
        };
        let trunk = &plan().trunks[&peer.trunk];
        let loopback = |target: &TrunkTarget| target.ip().is_some_and(|ip| ip.is_loopback());
        assert!(!trunk.targets.is_empty() && trunk.targets.iter().all(loopback), "{number}");
        assert!(peer.drill && trunk.probe.is_none(), "{number}");
        assert_eq!(peer.number, number);
        trunks.push(peer.trunk.clone());
    }
    trunks.dedup();
    assert_eq!(trunks.len(), 3);
}

#[test]
fn every_expert_line_has_clerks_with_a_skill_of_their_own() {
    let experts: Vec<&str> = LIST.iter().filter(|row| row.4).map(|row| row.2).collect();
    assert_eq!(experts, ["12348", "12333", "12329"]);
    let skilled = plan().seats.values().filter(|seat| seat.skills.len() > 1).count();
    assert_eq!(skilled, experts.len());
}

#[test]
fn the_table_says_of_each_expert_line_whether_its_group_is_there() {
    let table = |plan: &Plan, instant: &str| -> Vec<(String, String)> {
        let rows = plan.readiness(at(instant)).into_iter();
        let experts = rows.filter(|row| row.treatment.en.contains("expert"));
        experts.map(|row| (row.number, row.treatment.en)).collect()
    };
    let said = |there: &str| {
        ["12348", "12333", "12329"]
            .map(|number| (number.to_owned(), format!("as 12345, line kept, 1 expert seat(s) {there}")))
    };
    assert_eq!(table(plan(), "2026-07-03T09:00:00+08:00"), said("there at this hour"));
    assert_eq!(table(plan(), "2026-07-05T09:00:00+08:00"), said("not there at this hour"));
    let others = ("number = \"12348\"\n# 名称", "number = \"12369\"\n# 名称");
    let without = edited(&[others, ("\"4\" = \"12348\", ", "")]);
    let law = table(&without, "2026-07-03T09:00:00+08:00").into_iter().find(|(number, _)| number == "12348");
    assert_eq!(law.map(|(_, words)| words).as_deref(), Some("as 12345, line kept, no expert group"));
}
