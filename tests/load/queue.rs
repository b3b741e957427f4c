//! Callers who wait in line, clerks who ask a third party in, and a day of both.

use crate::engine::Engine;
use crate::scenarios::CLOCK;
use crate::tool::{Ran, Tool, free_address};

const QUEUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/queue.toml");
/// In order, whatever the machine's pace.
const SOUND: &str = "failed=0,wrong=0,none=0,no_rtp=0,cut_off=0,turned_away=0,not_released=0";

fn right(ran: &Ran, sound: &str) -> [u64; 2] {
    ["right", "sampled"].map(|verdict| ran.count(&format!("{sound}/{verdict}")))
}

#[test]
fn ten_callers_are_served_by_four_seats_in_their_order_and_hear_them() {
    let engine = Engine::start_with("line-queue", CLOCK, &["--config", QUEUE, "--http", "127.0.0.1:0"]);
    let data = engine.data.to_str().unwrap().to_owned();
    let words = "--scenario queue --to 12345 --rate 5 --calls 10 --talk 3s --greeting 1500ms --wrap-up 1s \
                 --seats 1001-1004 --sample 100%";
    let ran = Tool::new("queue", 21, words)
        .toward(engine.sip)
        .with("--data", &data)
        .with("--server-metrics", &format!("http://{}/metrics", engine.http()))
        .with(
            "--fail-over",
            &format!("{SOUND},offer_p99=2s,served=10,served_share=100%,abandoned=0,overtaken=0"),
        )
        .run();
    assert_eq!(ran.code, Some(0), "{}", ran.printed);
    assert_eq!(ran.calls(), [10, 10, 0], "{}", ran.printed);
    assert_eq!(ran.sound(), [20, 0, 0, 0], "callers and clerks: {}", ran.printed);
    // Four at once at first; then each seat is free a second after its talk: three rounds.
    assert_eq!(ran.count("/queue/wait_ms/count"), 10);
    assert!(ran.number("/queue/wait_ms/max") >= 5_000.0, "the last waited for two talks: {}", ran.printed);
    assert!(ran.count("/queue/offer_ms/count") >= 4, "seats that were awaited: {}", ran.printed);
    assert_eq!(ran.count("/queue/server_offer/count"), 10, "{}", ran.printed);
    let [seats, fewest, most] =
        ["seats", "seat_calls_min", "seat_calls_max"].map(|figure| ran.count(&format!("/queue/{figure}")));
    assert_eq!((seats, fewest, most), (4, 2, 3), "{}", ran.printed);
    let rows = ran.report["seconds"].as_array().unwrap();
    let served: u64 = rows.iter().map(|row| row["served"].as_u64().unwrap()).sum();
    assert_eq!(served, 10);
    assert!(rows.iter().any(|row| row["waiting"].as_u64() > Some(0)), "{}", ran.printed);
    crate::files::assert_fits(&ran);
}

#[test]
fn who_is_not_served_in_time_gives_up_and_is_counted() {
    let engine = Engine::start_with("line-abandoned", CLOCK, &["--config", QUEUE]);
    let data = engine.data.to_str().unwrap().to_owned();
    let words = "--scenario queue --to 12345 --rate 10 --calls 3 --talk 12s --wait 5s --seats 1001 \
                 --fail-over abandoned=1";
    let ran = Tool::new("abandoned", 22, words).toward(engine.sip).with("--data", &data).run();
    assert_eq!(ran.code, Some(1), "two are beyond the bound: {}", ran.printed);
    let [served, abandoned] = ["/queue/served", "/queue/abandoned"].map(|figure| ran.count(figure));
    assert_eq!((served, abandoned), (1, 2), "{}", ran.printed);
}

#[test]
fn clerks_ask_a_third_party_in_and_each_of_the_three_hears_the_two_others() {
    let third = free_address();
    let trunk = format!("third={third}");
    let engine = Engine::start_with("line-threeway", CLOCK, &["--config", QUEUE, "--trunk", &trunk]);
    let data = engine.data.to_str().unwrap().to_owned();
    // By turns the clerk leaves by ##, or the third party hangs up.
    for (name, place, how) in [("threeway", 23, "--third 12366"), ("threeway-key", 24, "--consult *1")] {
        let words = format!(
            "--scenario threeway --to 12345 --rate 2 --calls 4 --talk 3s --seats 1001-1004 --sample 100% {how}"
        );
        let ran = Tool::new(name, place, &words)
            .toward(engine.sip)
            .with("--data", &data)
            .with("--answer-on", &third.to_string())
            .with("--fail-over", &format!("{SOUND},steps_failed=0,merged=4,consult_p99=2s"))
            .run();
        assert_eq!(ran.code, Some(0), "{}", ran.printed);
        assert_eq!(ran.calls(), [4, 4, 0], "{}", ran.printed);
        assert_eq!(right(&ran, "/three_way/sound"), [12, 12], "three heard by three: {}", ran.printed);
        assert_eq!(right(&ran, "/sound"), [20, 20], "and the two who remained: {}", ran.printed);
        let figures = ["asked", "merged", "finished"].map(|it| ran.count(&format!("/three_way/{it}")));
        assert_eq!(figures, [4, 4, 4], "{}", ran.printed);
        assert_eq!(ran.count("/three_way/consult_ms/count"), 4);
        crate::files::assert_fits(&ran);
    }
}

#[test]
fn a_third_party_that_is_not_called_is_a_step_that_failed() {
    let engine = Engine::start_with("line-nobody", CLOCK, &["--config", QUEUE]);
    let data = engine.data.to_str().unwrap().to_owned();
    let words = "--scenario threeway --to 12345 --rate 1 --calls 1 --talk 2s --seats 1001 --third 99999 \
                 --fail-over steps_failed=0";
    let ran = Tool::new("nobody", 25, words)
        .toward(engine.sip)
        .with("--data", &data)
        .with("--answer-on", &free_address().to_string())
        .run();
    assert_eq!(ran.code, Some(1), "{}", ran.printed);
    assert_eq!(ran.count("/three_way/failures/third was not called"), 1, "{}", ran.printed);
}

#[test]
fn a_day_in_half_a_minute_has_all_its_kinds_and_comes_again_by_its_seed() {
    let third = free_address();
    let trunk = format!("third={third}");
    let engine = Engine::start_with("line-day", CLOCK, &["--config", QUEUE, "--trunk", &trunk]);
    let data = engine.data.to_str().unwrap().to_owned();
    let day = || {
        let words = "--scenario mixed-day --to 12345 --rate 1 --duration 24s --talk 2s --hold 3s \
                     --abandon-after 4s --mix queue=4,threeway=2,abandon=2,prompt=2 --seats 1001-1008 \
                     --arrivals random --sample 100%";
        let ran = Tool::new("day", 26, words)
            .with_ports_of_two()
            .toward(engine.sip)
            .with("--data", &data)
            .with("--answer-on", &third.to_string())
            .with("--fail-over", "failed=0,steps_failed=0,abandoned=0,turned_away=0")
            .run();
        assert_eq!(ran.code, Some(0), "{}", ran.printed);
        crate::files::assert_fits(&ran);
        let count = |kind: &str| ran.count(&format!("/kinds/{kind}/attempted"));
        let kinds = ["queue", "threeway", "abandon", "prompt"].map(count);
        assert_eq!(kinds.iter().sum::<u64>(), ran.calls()[0], "{}", ran.printed);
        assert!(kinds.iter().all(|count| *count > 0), "{}", ran.printed);
        let queue = ran.count("/kinds/queue/served");
        assert_eq!(queue, ran.count("/kinds/queue/attempted"), "all who wait are served: {}", ran.printed);
        kinds
    };
    assert_eq!(day(), day(), "the seed decides");
}
