//! `hotline demo`: the whole house from outside, as a visitor sees it.

use std::process::Command;

use crate::house::{HOTLINE, printed, scratch};

#[test]
fn all_numbers_are_called_and_every_prompt_voice_record_ticket_and_recording_is_found() {
    let directory = scratch("demo").join("kept");
    let demo = Command::new(HOTLINE)
        .args(["demo", "--keep"])
        .arg(&directory)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = printed(&demo);
    assert_eq!(demo.status.code(), Some(0), "{text}");
    assert!(!text.contains('✗'), "{text}");
    assert!(text.contains("✓ 呼叫 35 = 记录 35 = 工单 35 = 录音 35"), "{text}");
    let (first, second) = text.split_once("第二幕").unwrap();
    let rows: Vec<&str> = first.lines().filter(|line| line.contains(" Hz ")).collect();
    assert_eq!(rows.len(), 29, "{text}");
    let of = |mode: &str| rows.iter().filter(|row| row.contains(mode)).count();
    assert_eq!(
        (of("整体并入 merged"), of("双号并行 dual"), of("分中心 sub-center"), of("主号码 primary")),
        (11, 14, 3, 1)
    );
    for row in &rows {
        assert_eq!(row.contains("过渡✓"), row.contains("merged"), "{row}");
        assert_eq!(row.contains("问候✓ 工号✓"), !row.contains("sub-center"), "{row}");
    }
    third_parties(second);
    self_service(second.split_once("第三幕").unwrap().1);
    let plan = std::fs::read_to_string(directory.join("plan/routing.toml")).unwrap();
    assert!(plan.contains("flow = \"services\""), "the plan that was in force at the end: {plan}");
    let again = Command::new(HOTLINE).args(["demo", "--keep"]).arg(&directory).output().unwrap();
    assert_eq!(again.status.code(), Some(2), "a directory with data is not written over");
    std::fs::remove_dir_all(directory.parent().unwrap()).unwrap();
}

/// The second act: whom each hears at each step, by their tones, and what was kept.
fn third_parties(act: &str) {
    let scenes: Vec<Vec<&str>> = ["1 三方转分中心", "2 三方请专家", "3 转接未成", "第三幕"]
        .windows(2)
        .map(|names| {
            let (_, begun) = act.split_once(names[0]).unwrap_or_else(|| panic!("{}: {act}", names[0]));
            begun.split_once(names[1]).unwrap_or_else(|| panic!("{}: {act}", names[1])).0.lines().collect()
        })
        .collect();
    for (scene, keys) in scenes.iter().zip([
        &["*1", "*0", "##", "–", "2"][..],
        &["*4", "*0", "*#", "–", "4"],
        &["*2", "486", "*2", "##", "486", "–", "1"],
    ]) {
        let steps: Vec<&&str> = scene.iter().skip(2).take(keys.len()).collect();
        for (step, keys) in steps.iter().zip(keys) {
            assert!(step.contains(&format!(" {keys} ")) && step.contains(" ✓ "), "{keys}: {step}");
        }
        let kept = scene.iter().find(|line| line.contains("记录 record ✓")).expect(act);
        assert!(kept.contains("请评价 survey✓") && kept.contains("工单 ticket ✓ 210901000"), "{kept}");
        assert!(kept.contains("录音 recording ✓ "), "{kept}");
        let minutes = scene.iter().find(|line| line.contains("分钟 minutes:")).expect(act);
        assert_eq!(minutes.matches("通话 talked").count(), 3, "{minutes}");
    }
    for scene in &scenes[..2] {
        let hears = |line: usize| scene[line].matches(" ← ").count();
        assert_eq!((hears(1), hears(2), hears(3), hears(4)), (2, 3, 3, 2), "{scene:?}");
        assert!(scene[2].contains("来电人 caller ← 音乐 music"), "{}", scene[2]);
        assert_eq!(scene[3].matches('+').count(), 3, "each hears two: {}", scene[3]);
        assert!(scene.iter().any(|line| line.contains("音乐 music✓")), "{scene:?}");
        assert!(scene.iter().any(|line| line.matches("商量 consulted").count() == 2), "{scene:?}");
    }
    let reason = "transfer_failed/sub_center/12313/486";
    assert!(scenes[2].iter().any(|line| line.contains("排回队首 back in line✓")), "{:?}", scenes[2]);
    assert!(scenes[2].iter().any(|line| line.ends_with(reason)), "{:?}", scenes[2]);
    assert_eq!(act.matches(&format!(" reason={reason}")).count(), 1, "in the list of tickets: {act}");
}

/// The third act: what each caller did and heard, and that the number and the code that were read out are the
/// ticket's.
fn self_service(act: &str) {
    let scenes: Vec<Vec<&str>> = ["1 自助登记", "2 查询进度", "3 提取码不对", "工单 / tickets"]
        .windows(2)
        .map(|names| {
            let (_, begun) = act.split_once(names[0]).unwrap_or_else(|| panic!("{}: {act}", names[0]));
            begun.split_once(names[1]).unwrap_or_else(|| panic!("{}: {act}", names[1])).0.lines().collect()
        })
        .collect();
    let noted = scenes[0].iter().find_map(|line| line.split_once("工单号 number ")).expect(act).1;
    let (ticket, rest) = noted.split_once("  提取码 code ").expect(noted);
    let code = rest.split_whitespace().next().expect(noted);
    assert!(ticket.starts_with("210901000") && code.len() == 6, "{noted}");
    let (number, code_keys) = (format!("{ticket}#"), format!("{code}#"));
    for (scene, keys) in scenes.iter().zip([
        &["12345", "#", "1", "1", "–", "#", "–", "–"][..],
        &["12345", "#", "2", &number, &code_keys, "–"],
        &["12345", "#", "2", &number],
    ]) {
        for (step, keys) in scene.iter().skip(1).zip(keys) {
            assert!(step.contains(&format!(" {keys} ")) && step.contains(" ✓ "), "{keys}: {step}");
        }
        let kept = scene.iter().find(|line| line.contains("记录 record ✓")).expect(act);
        assert!(kept.contains("工单 ticket ✓ 210901000") && kept.contains("录音 recording ✓ "), "{kept}");
    }
    let kept = |scene: usize| scenes[scene].iter().find(|line| line.contains("记录 record ✓")).unwrap();
    assert!(kept(0).contains(&format!("播报 read out ✓ {ticket} {code}  留言 message ✓ ")), "{}", kept(0));
    assert!(kept(0).contains(&format!("工单 ticket ✓ {ticket}")), "{}", kept(0));
    let progress = "digit_2 digit_0 digit_2 digit_1 year digit_9 month digit_1 day state_open goodbye";
    assert!(kept(1).contains(&format!("进度 progress ✓ {progress}")), "{}", kept(1));
    assert!(!scenes[2].concat().contains(&code_keys), "another code: {:?}", scenes[2]);
    assert!(kept(2).contains("没有查到 nothing found ✓") && kept(2).contains("座席 seat ✓ 1"), "{}", kept(2));
    let listed: Vec<&str> = act.lines().filter(|line| line.contains(" reason=self_service")).collect();
    assert_eq!(listed.len(), 1, "{act}");
    assert!(listed[0].contains(ticket), "{}", listed[0]);
}

#[test]
fn a_directory_that_holds_something_is_not_taken() {
    let directory = scratch("keep");
    std::fs::write(directory.join("mine"), "").unwrap();
    let demo = Command::new(HOTLINE).args(["demo", "--keep"]).arg(&directory).output().unwrap();
    assert_eq!(demo.status.code(), Some(2));
    let (text, name) = (printed(&demo), directory.display().to_string());
    assert!(text.contains(&name) && text.contains("不是空的") && text.contains("is not empty"), "{text}");
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
    let under = directory.join("mine/new");
    let demo = Command::new(HOTLINE).args(["demo", "--keep"]).arg(&under).output().unwrap();
    assert_eq!(demo.status.code(), Some(2));
    assert!(printed(&demo).contains(&under.display().to_string()), "{}", printed(&demo));
    std::fs::remove_dir_all(directory).unwrap();
}
