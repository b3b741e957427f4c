//! `hotline run` as an operator handles it: SIGTERM, SIGHUP, files that are of no use.

use std::io::{BufRead, BufReader, Read};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use hotline::io::packets::PartyKey;
use hotline::phone::{Answers, Dial, Phone, PhoneEvent, Side, listen};

use crate::house::{HOTLINE, House, printed, scratch};
use crate::line::Lines;

fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn ended(lines: &Lines, line: PartyKey) -> bool {
    lines.saw(line, |event| matches!(event, PhoneEvent::Ended { .. }))
}

/// A caller of 12345 and a clerk who talk.
fn talk(house: &House, lines: &mut Lines) -> (PartyKey, PartyKey) {
    let password = house.password("1002");
    let seat = lines.plug_in("1002", house.sip(), |config| {
        config.domain = "hotline.puyang".into();
        config.password = Some(password);
        config.answers = Answers::After(Duration::from_millis(200));
    });
    lines.order(seat, Phone::register);
    lines.until("registration", secs(5), |lines| {
        lines.saw(seat, |event| matches!(event, PhoneEvent::Registered { .. }))
    });
    let caller = lines.plug_in("13800000051", house.sip(), |_| {});
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("the clerk's answer", secs(20), |lines| {
        lines.saw(seat, |event| *event == PhoneEvent::Answered)
    });
    let tone: Vec<i16> =
        (0..8_000).map(|n| (4_000.0 * (f64::from(n) * 0.25 * std::f64::consts::PI).sin()) as i16).collect();
    lines.order(seat, |phone, now| phone.play(tone.into(), true, now));
    lines.until("the clerk's voice", secs(10), |lines| hears_the_clerk(lines, caller));
    (caller, seat)
}

/// Whether the last tenth of a second that the caller heard has the clerk's 1,000 Hz.
fn hears_the_clerk(lines: &Lines, caller: PartyKey) -> bool {
    let heard = lines.phone(caller).heard();
    is_the_clerk(&heard[heard.len().saturating_sub(800)..])
}

fn is_the_clerk(part: &[i16]) -> bool {
    listen::tone_level(part, 1_000.0) > -26.0
}

/// Dials until the number is answered or refused; gives the status and Retry-After of a refusal.
fn outcome(house: &House, lines: &mut Lines, number: &str) -> Result<(), (u16, Option<u32>)> {
    let line = lines.plug_in("13800000052", house.sip(), |_| {});
    lines.order(line, |phone, now| phone.dial(Dial::to(number), now)).unwrap();
    let refused = |event: &PhoneEvent| match event {
        PhoneEvent::Refused { status, retry_after_s } => Some((*status, *retry_after_s)),
        _ => None,
    };
    lines.until("an answer or a refusal", secs(10), |lines| {
        lines.saw(line, |event| *event == PhoneEvent::Answered || refused(event).is_some())
    });
    match lines.told(line).into_iter().find_map(refused) {
        Some(refusal) => Err(refusal),
        None => {
            lines.order(line, Phone::hang_up);
            lines.until("the end", secs(5), |lines| ended(lines, line));
            Ok(())
        }
    }
}

#[test]
fn sigterm_lets_the_talk_go_on_turns_new_callers_away_and_ends_in_order() {
    let mut house = House::open("drain");
    let mut lines = Lines::new();
    let (caller, _) = talk(&house, &mut lines);
    house.engine.terminate().unwrap();
    lines.until("the drain is seen", secs(5), |_| house.get("/readyz").0.contains("503"));
    let Err((503, Some(retry))) = outcome(&house, &mut lines, "12345") else {
        panic!("a new caller is asked to try again later: {:?}", lines.told(caller));
    };
    assert!(retry > 0);
    let before = lines.phone(caller).heard().len();
    lines.run_for(secs(2));
    assert!(!ended(&lines, caller), "the talk goes on: {:?}", lines.told(caller));
    let since = &lines.phone(caller).heard()[before..];
    let with_clerk = since.chunks_exact(800).filter(|part| is_the_clerk(part)).count();
    assert!(with_clerk >= 10, "the clerk is heard in {with_clerk} tenths of two seconds");
    assert!(house.engine.ended().unwrap().is_none());

    lines.order(caller, Phone::hang_up);
    lines.until("the end of the call", secs(5), |lines| {
        lines.saw(caller, |event| matches!(event, PhoneEvent::HangUpAnswered { status: Some(200) }))
    });
    assert!(house.end(secs(10)).success(), "{}", house.log());
    let records = Command::new(HOTLINE).args(["records", "--data"]).arg(house.data()).output().unwrap();
    assert!(printed(&records).contains("cause=CallerHungUp"), "{}", printed(&records));
}

#[test]
fn a_second_sigterm_ends_the_talk_with_bye_and_the_record_says_why() {
    let mut house = House::open("quick");
    let mut lines = Lines::new();
    let (caller, seat) = talk(&house, &mut lines);
    house.engine.terminate().unwrap();
    lines.until("the drain is seen", secs(5), |_| house.get("/readyz").0.contains("503"));
    assert!(!ended(&lines, caller));
    house.engine.terminate().unwrap();
    lines.until("both are told", secs(5), |lines| ended(lines, caller) && ended(lines, seat));
    assert!(lines.saw(caller, |event| matches!(event, PhoneEvent::Ended { by: Side::Them, .. })));
    assert!(house.end(secs(10)).success(), "{}", house.log());
    let records = Command::new(HOTLINE).args(["records", "--data"]).arg(house.data()).output().unwrap();
    let records = printed(&records);
    assert!(records.contains("cause=Drained") && records.contains(".wav"), "{records}");
}

#[test]
fn sighup_with_a_broken_file_changes_nothing_and_with_a_good_one_new_calls_follow_it() {
    let directory = scratch("plan");
    let config = directory.join("routing.toml");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let prompts = root.join("prompts/prompts.toml");
    let shipped = std::fs::read_to_string(root.join("routing.toml")).unwrap();
    let shipped = shipped.replace("\"prompts/prompts.toml\"", &format!("{:?}", prompts.to_str().unwrap()));
    std::fs::write(&config, &shipped).unwrap();
    let house = House::open_with("reload", &config);
    let mut lines = Lines::new();
    let (caller, _) = talk(&house, &mut lines);
    assert_eq!(outcome(&house, &mut lines, "12336"), Ok(()));
    assert_eq!(outcome(&house, &mut lines, "12337"), Err((404, None)));

    let moved = shipped.replace("number = \"12336\"", "number = \"12337\"");
    let moved = moved.replace("merge_list = \"puyang-2021-30\"\n", ""); // The list has no such number.
    std::fs::write(&config, moved.replace("months = 3", "months = \"three\"")).unwrap();
    house.engine.reload().unwrap();
    lines.until("the refusal is logged", secs(10), |_| house.log().contains("the plan stays as it is"));
    assert!(house.log().contains("transition.months"), "{}", house.log());
    assert_eq!(outcome(&house, &mut lines, "12336"), Ok(()), "the old plan is whole");
    assert_eq!(outcome(&house, &mut lines, "12337"), Err((404, None)));

    std::fs::write(&config, &moved).unwrap();
    house.engine.reload().unwrap();
    lines.until("the new plan is logged", secs(10), |_| house.log().contains("a new plan is in force"));
    assert_eq!(outcome(&house, &mut lines, "12337"), Ok(()));
    assert_eq!(outcome(&house, &mut lines, "12336"), Err((404, None)));
    assert!(!ended(&lines, caller), "the talk went on all the while: {:?}", lines.told(caller));
    lines.until("the clerk's voice, still", secs(5), |lines| hears_the_clerk(lines, caller));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn a_file_that_is_missing_or_faulty_starts_nothing_and_the_reason_is_said_in_both_languages() {
    let directory = scratch("faulty");
    let run = |words: &[&str]| {
        let run = Command::new(HOTLINE).args(words).current_dir(&directory).output().unwrap();
        (run.status.code(), printed(&run))
    };
    let (code, text) = run(&["run"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("没有路由文件 routing.toml") && text.contains("--config"), "{text}");
    assert!(text.contains("there is no routing file routing.toml"), "{text}");
    assert_eq!(run(&["demo"]).0, Some(2));

    std::fs::write(directory.join("routing.toml"), "schema = 1\nqueues = 3\n").unwrap();
    // A port that is taken: were it opened before the file was judged, that would be the reason.
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let (code, text) = run(&["run", "--listen", &taken.local_addr().unwrap().to_string()]);
    assert_eq!(code, Some(1));
    assert!(text.contains("routing.toml:2:1") && text.contains("unknown key queues"), "{text}");
    assert!(!text.contains("ready sip="));
    assert!(!directory.join("data").exists(), "nothing was made");
    std::fs::remove_dir_all(&directory).unwrap();
}

/// Bytes that a pipe of Linux holds, and those of which a write goes in whole or waits.
const PIPE: (usize, usize) = (65_536, 4_096);

#[test]
fn a_log_that_nobody_reads_holds_up_nobody() {
    let directory = scratch("unread-log");
    let mut engine = Command::new(HOTLINE)
        .args(["run", "--listen", "127.0.0.1:0", "--http", "off", "--rtp-ports", "20000-29999", "--data"])
        .arg(directory.join("data"))
        .env("RUST_LOG", "debug")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(engine.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let sip = ready.split_whitespace().find_map(|word| word.strip_prefix("sip=")).expect("a ready line");
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.connect(sip).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let local = peer.local_addr().unwrap();
    for round in 0..20 {
        // Each of these is a line of the log, and gets no answer.
        for _ in 0..50 {
            peer.send(b"INVITE\r\n\r\n").unwrap();
        }
        let options = format!(
            "OPTIONS sip:{sip} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{round};rport\r\n\
             From: <sip:a@{local}>;tag=1\r\nTo: <sip:{sip}>\r\nCall-ID: {round}\r\nCSeq: 1 OPTIONS\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        peer.send(options.as_bytes()).unwrap();
        let mut room = [0; 2_048];
        let length = peer.recv(&mut room).unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert!(room[..length].starts_with(b"SIP/2.0 200 "), "round {round}");
    }
    engine.kill().unwrap();
    let mut log = Vec::new();
    engine.stderr.take().unwrap().read_to_end(&mut log).unwrap();
    engine.wait().unwrap();
    assert!(log.len() > PIPE.0 - PIPE.1, "no further line would have gone in: {} bytes", log.len());
    let lines = log.iter().filter(|byte| **byte == b'\n').count();
    assert!(lines < 20 * 50, "and others waited: {lines} lines");
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn levels_of_the_log_that_cannot_be_read_are_named_and_nothing_starts() {
    let directory = scratch("log-levels");
    let output = Command::new(HOTLINE)
        .args(["run", "--listen", "127.0.0.1:0", "--http", "off", "--data"])
        .arg(directory.join("data"))
        .env("RUST_LOG", "hotline=loud")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("没有启动 / not started: RUST_LOG: hotline=loud: "), "{told}");
    assert!(!directory.join("data").exists(), "nothing was opened");
}

/// `hotline run` on a data directory, with these words besides, where it does not come to run: what it said.
fn not_started(data: &Path, words: &[&str]) -> String {
    let mut command = Command::new(HOTLINE);
    command.args(["run", "--data"]).arg(data).args(words);
    let run = command.output().unwrap();
    let text = printed(&run);
    assert_eq!(run.status.code(), Some(1), "{text}");
    assert!(text.contains("没有启动 / not started") && !text.contains("ready sip="), "{text}");
    text
}

const APART: [&str; 6] = ["--listen", "127.0.0.1:0", "--http", "off", "--rtp-ports", "20000-29999"];

fn has_all(text: &str, words: &[&str]) {
    words.iter().for_each(|word| assert!(text.contains(word), "{word}: {text}"));
}

#[test]
fn a_second_engine_in_the_same_directory_is_told_who_has_it_and_the_talk_goes_on() {
    let house = House::open("twice");
    let mut lines = Lines::new();
    let (caller, seat) = talk(&house, &mut lines);
    // Even with a port of its own.
    let text = not_started(&house.data(), &APART);
    let holder = std::fs::read_to_string(house.data().join("lock")).unwrap();
    let place = house.data().display().to_string();
    has_all(&text, &["数据目录", "in use by another engine", &place, holder.trim()]);
    for words in [&["records"][..], &["tickets"], &["ledger"], &["report", "--day", "2021-12-01"]] {
        let looked = Command::new(HOTLINE).args(words).arg("--data").arg(house.data()).output().unwrap();
        let text = printed(&looked);
        assert!(looked.status.success(), "{words:?}: {text}");
        assert!(!text.contains("Crash"), "{words:?}: {text}");
    }
    lines.run_for(secs(1));
    assert!(!ended(&lines, caller) && !ended(&lines, seat));
    lines.until("the clerk's voice, still", secs(5), |lines| hears_the_clerk(lines, caller));
}

#[test]
fn an_engine_whose_port_is_taken_names_it_and_leaves_what_a_crash_left_as_it_is() {
    let mut house = House::open("port");
    let mut lines = Lines::new();
    talk(&house, &mut lines);
    house.engine.kill();
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let text = not_started(&house.data(), &["--listen", &at, "--http", "off"]);
    has_all(&text, &[&at, "端口", "another program", "--listen"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let text = not_started(&house.data(), &["--listen", "127.0.0.1:0", "--http", &at]);
    has_all(&text, &[&at, "端口", "another program", "--http"]);
    let records = Command::new(HOTLINE).args(["records", "--data"]).arg(house.data()).output().unwrap();
    let records = printed(&records);
    assert!(records.contains("12345") && !records.contains("Crash"), "{records}");
}

#[test]
fn what_it_keeps_is_its_users_alone_and_what_is_open_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let mut house = House::open("modes");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&house.data()), mode(&house.data().join("hotline.db"))), (0o700, 0o600));
    assert!(!house.log().contains("chmod"), "{}", house.log());
    house.engine.kill();
    let seat = house.data().join("secrets/seat-1001");
    for (path, bits) in [(house.data(), 0o755), (seat.clone(), 0o644)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits)).unwrap();
    }
    house.start_again(&[]);
    let told = [format!("chmod 700 {}", house.data().display()), format!("chmod 600 {}", seat.display())];
    has_all(&house.log(), &[&told[0], &told[1]]);
}

#[test]
fn a_clock_that_is_behind_what_was_kept_is_told_with_both_times() {
    let mut house = House::open("behind");
    let mut lines = Lines::new();
    talk(&house, &mut lines);
    house.engine.kill();
    house.start_again(&["--clock", "2021-11-01T09:00:00+08:00"]);
    has_all(&house.log(), &["时钟", "before the newest fact", "2021-11-01T01:00", "2021-12-01T01:00"]);
}

#[test]
fn while_the_store_fails_it_is_not_ready_and_the_second_sigterm_ends_it_all_the_same() {
    let mut house = House::open("failing");
    let mut lines = Lines::new();
    let (caller, _) = talk(&house, &mut lines);
    assert!(house.get("/readyz").0.contains("200"));
    let blocker = rusqlite::Connection::open(house.data().join("hotline.db")).unwrap();
    blocker.busy_timeout(secs(10)).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    lines.order(caller, |phone, now| phone.press("5", now));
    lines.until("it is not ready", secs(30), |_| house.get("/readyz").0.contains("503"));
    blocker.execute_batch("ROLLBACK").unwrap();
    lines.until("it is ready again", secs(30), |_| house.get("/readyz").0.contains("200"));

    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    lines.order(caller, |phone, now| phone.press("6", now));
    lines.until("it is not ready", secs(30), |_| house.get("/readyz").0.contains("503"));
    house.engine.terminate().unwrap();
    lines.until("the drain begins", secs(10), |_| house.log().contains("draining"));
    house.engine.terminate().unwrap();
    lines.until("the caller is told", secs(10), |lines| ended(lines, caller));
    house.end(secs(60));
    has_all(
        &house.log(),
        &["waits no longer", "条事实没有写下来", "facts could not be written and are lost"],
    );
}

#[test]
fn rtp_ports_that_somebody_else_holds_start_nothing_or_are_warned_of() {
    let directory = scratch("rtp");
    let config = plan_with(&directory, "");
    let few = std::fs::read_to_string(&config).unwrap().replace("calls_max = 1200", "calls_max = 2");
    std::fs::write(&config, few).unwrap();
    let mut held: Vec<UdpSocket> =
        (13_940..13_948).map(|port| UdpSocket::bind(("127.0.0.1", port)).unwrap()).collect();
    let range = ["--rtp-ports", "13940-13947"];
    let words = [&["--listen", "127.0.0.1:0", "--http", "off", "--config", &config], &range[..]].concat();
    let text = not_started(&directory.join("data"), &words);
    has_all(&text, &["13940-13947", "4 对", "4 pairs", "--rtp-ports"]);

    held.drain(..2);
    let mut house = House::open_with("few-ports", Path::new(&config));
    house.engine.kill();
    house.start_again(&range);
    has_all(&house.log(), &["13940-13947", "1 pairs are free", "needs 4"]);
    let mut lines = Lines::new();
    let first = lines.plug_in("13800000061", house.sip(), |_| {});
    lines.order(first, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("an answer", secs(20), |lines| lines.saw(first, |event| *event == PhoneEvent::Answered));
    assert!(matches!(outcome(&house, &mut lines, "12345"), Err((503, Some(_)))));
    lines.until("the log says why", secs(10), |_| {
        house.log().contains("no RTP ports are free in 13940-13947")
    });
    std::fs::remove_dir_all(directory).unwrap();
}

/// The shipped plan with these tables at its end, in a directory of its own.
fn plan_with(directory: &Path, more: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = std::fs::read_to_string(root.join("routing.toml")).unwrap();
    let prompts = root.join("prompts/prompts.toml");
    let shipped = shipped.replace("\"prompts/prompts.toml\"", &format!("{:?}", prompts.to_str().unwrap()));
    let config = directory.join("routing.toml");
    std::fs::write(&config, format!("{shipped}\n{more}")).unwrap();
    config.to_str().unwrap().to_owned()
}

fn started_with(config: &str) -> Vec<&str> {
    [&APART[..], &["--config", config]].concat()
}

#[test]
fn secrets_that_others_must_give_are_all_named_at_once_and_none_is_made() {
    let directory = scratch("given");
    let bot = |name: &str, secret: &str| {
        format!("[[bot]]\nname = \"{name}\"\nurl = \"ws://127.0.0.1:9/\"\nsecret = {secret}\n")
    };
    let more =
        bot("first", "{ file = \"secrets/bot-first\" }") + &bot("second", "{ env = \"HOTLINE_UNSET\" }");
    let config = plan_with(&directory, &more);
    let text = not_started(&directory.join("data"), &started_with(&config));
    has_all(&text, &["secrets/bot-first", "chmod 600", "bot first", "环境变量 HOTLINE_UNSET", "bot second"]);
    assert!(!directory.join("data/secrets").exists());
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn tokens_that_are_alike_start_nothing_and_short_ones_are_warned_of() {
    let directory = scratch("tokens");
    let token = |name: &str, seat: &str| {
        format!(
            "[[api_token]]\nname = \"{name}\"\nrole = \"clerk\"\nseat = \"{seat}\"\n\
             secret = {{ file = \"secrets/{name}\" }}\n"
        )
    };
    let config = plan_with(&directory, &(token("desk-a", "1001") + &token("desk-b", "1002")));
    let data = directory.join("data");
    std::fs::create_dir_all(data.join("secrets")).unwrap();
    for name in ["desk-a", "desk-b"] {
        std::fs::write(data.join("secrets").join(name), "short\n").unwrap();
    }
    let text = not_started(&data, &started_with(&config));
    has_all(&text, &["desk-a", "desk-b", "内容相同", "are the same"]);
    assert!(!text.contains("short"), "{text}");
    std::fs::remove_file(data.join("secrets/desk-b")).unwrap();
    let mut house = House::open_with("short-token", Path::new(&config));
    house.engine.kill();
    std::fs::write(house.data().join("secrets/desk-a"), "short\n").unwrap();
    house.start_again(&[]);
    has_all(&house.log(), &["desk-a 不足 16 个字符", "fewer than 16 characters"]);
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_webhooks_secret_that_is_made_is_told_with_its_place() {
    let directory = scratch("webhook");
    let more = "[[ticket_sink]]\nname = \"office\"\nkind = \"http\"\nurl = \"http://127.0.0.1:9/\"\n\
                secret = { file = \"secrets/offcie\" }\n";
    let config = plan_with(&directory, more);
    let house = House::open_with("webhook-secret", Path::new(&config));
    has_all(&house.log(), &["secrets/offcie", "原来没有", "give it to the other side", "office"]);
    let mut lines = Lines::new();
    assert_eq!(outcome(&house, &mut lines, "12345"), Ok(()));
    let told = "office 没有收下事件";
    lines.until("the log says that nobody is there", secs(20), |_| house.log().contains(told));
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_database_that_cannot_be_written_starts_nothing() {
    let mut house = House::open("locked");
    house.engine.kill();
    let file = house.data().join("hotline.db");
    let blocker = rusqlite::Connection::open(&file).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let text = not_started(&house.data(), &APART);
    has_all(&text, &["数据库", &file.display().to_string(), "cannot be opened or written to", "--data"]);
}

#[test]
fn an_address_of_http_and_a_time_that_cannot_be_read_are_told_with_their_remedy() {
    let directory = scratch("words");
    let text = not_started(&directory.join("data"), &["--http", "nowhere"]);
    has_all(&text, &["nowhere", "127.0.0.1:8345", "写成", "write"]);
    let run = Command::new(HOTLINE).args(["run", "--clock", "noon"]).output().unwrap();
    assert_eq!(run.status.code(), Some(2));
    has_all(&printed(&run), &["noon", "写成", "write", "2021-09-01T09:00:00+08:00"]);
    std::fs::write(directory.join("file"), "").unwrap();
    let text = not_started(&directory.join("file/data"), &APART);
    has_all(&text, &["file/data", "cannot be written to", "chown"]);
    std::fs::remove_dir_all(directory).unwrap();
}
