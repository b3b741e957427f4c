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
    assert!(text.contains("✓ 呼叫 29 = 记录 29 = 工单 29 = 录音 29"), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.contains(" Hz ")).collect();
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
    let again = Command::new(HOTLINE).args(["demo", "--keep"]).arg(&directory).output().unwrap();
    assert_eq!(again.status.code(), Some(2), "a directory with data is not written over");
    std::fs::remove_dir_all(directory.parent().unwrap()).unwrap();
}
