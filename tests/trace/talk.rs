//! One talk between a caller and a seat, which every test here looks back at.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::phone::{Answers, Dial, Phone, PhoneEvent};
use hotline::telemetry::CallRecord;

use crate::engine::{Engine, data_dir};
use crate::line::Lines;

/// Outside of the transition.
pub const WHEN: &str = "2021-12-01T09:00:00+08:00";
/// Who calls.
pub const CALLER: &str = "13800000042";

/// An engine on the shipped plan with these lines in its `[trace]`.
pub fn engine(name: &str, trace: &str, more: &[&str]) -> Engine {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plan = std::fs::read_to_string(home.join("routing.toml")).unwrap();
    let prompts = format!("prompts = {:?}", home.join("prompts/prompts.toml"));
    let shipped = "prompts = \"prompts/prompts.toml\"";
    let kept = "enabled = true\n# 保存期";
    assert!(plan.contains(shipped) && plan.contains(kept));
    let plan = plan.replace(shipped, &prompts).replace(kept, &format!("{trace}\n# 保存期"));
    let data = data_dir(name);
    std::fs::create_dir_all(&data).unwrap();
    let path = data.join("routing.toml");
    std::fs::write(&path, plan).unwrap();
    Engine::start_with(name, WHEN, &[&["--config", path.to_str().unwrap()], more].concat())
}

/// A seat registers, a caller is put through to it, and hangs up. The record of the call.
pub fn talk(engine: &Engine) -> CallRecord {
    let mut lines = Lines::new();
    let secs = Duration::from_secs;
    let password = engine.password("1001");
    let seat = lines.plug_in("1001", engine.sip, |config| {
        config.domain = "hotline.puyang".into();
        config.password = Some(password);
        config.answers = Answers::After(Duration::from_millis(300));
    });
    let caller = lines.plug_in(CALLER, engine.sip, |_| {});
    lines.order(seat, Phone::register);
    lines.until("registration", secs(5), |lines| {
        lines.saw(seat, |event| matches!(event, PhoneEvent::Registered { .. }))
    });
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("the clerk's answer", secs(40), |lines| {
        lines.saw(seat, |event| *event == PhoneEvent::Answered)
    });
    lines.order(caller, Phone::hang_up);
    lines.until("the end at the seat", secs(10), |lines| {
        lines.saw(seat, |event| matches!(event, PhoneEvent::Ended { .. }))
    });
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    let closed = || {
        let calls = reader.calls(&CallQuery { most: 10, ..CallQuery::default() }).unwrap();
        calls.into_iter().find(|record| record.cause.is_some())
    };
    lines.until("the record", secs(10), |_| closed().is_some());
    // Both telephones have said all they have to: the trace's thread comes by ten times a second.
    lines.until("the trace", secs(10), |_| {
        let text = stdout(&hotline(&engine.data, &["trace", &closed().unwrap().call.to_string(), "--raw"]));
        text.matches("CSeq: 2 BYE").count() + text.matches(" BYE\n").count() >= 4
    });
    closed().unwrap()
}

/// Runs a command on a data directory.
pub fn hotline(data: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hotline")).args(words).arg("--data").arg(data).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Everything that the trace holds on disk.
pub fn on_disk(data: &Path) -> Vec<u8> {
    let folder = data.join("trace");
    let files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    files.iter().flat_map(|path| std::fs::read(path).unwrap()).collect()
}
