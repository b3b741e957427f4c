//! `/metrics` of the running engine: readable by Prometheus, and moved by a call.

mod day;
#[path = "../sinks/engine.rs"]
mod engine;
mod exposition;
#[path = "../real_call/line.rs"]
#[allow(dead_code)]
mod line;

use std::time::{Duration, Instant as SystemInstant};

use engine::{Engine, plan};
use exposition::{Exposition, parse};
use hotline::io::store::{CallQuery, FILE, Reader};
use hotline::phone::{Answers, Dial, Phone, PhoneEvent};
use line::Lines;

const PATIENCE: Duration = Duration::from_secs(40);

fn scrape(engine: &Engine) -> Exposition {
    let (head, body) = engine.get("/metrics");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(head.to_ascii_lowercase().contains(kind), "{head}");
    parse(&body)
}

/// Waits until every figure is as wanted: they are copied once a second.
fn until(engine: &Engine, lines: &mut Lines, rows: &[(&str, &dyn Fn(f64) -> bool)]) {
    let last = std::cell::RefCell::new(Vec::new());
    let next = std::cell::Cell::new(SystemInstant::now());
    lines.until("the figures", PATIENCE, |_| {
        // A scraper that comes often, and not at each turn of the telephones.
        if SystemInstant::now() < next.get() {
            return false;
        }
        next.set(SystemInstant::now() + Duration::from_millis(200));
        let shown = scrape(engine);
        let wrong = rows.iter().filter(|(series, wanted)| !wanted(shown.value(series)));
        let wrong: Vec<String> =
            wrong.map(|(series, _)| format!("{series} {}", shown.value(series))).collect();
        if wrong != *last.borrow() {
            println!("not yet: {wrong:?}");
        }
        last.replace(wrong);
        last.borrow().is_empty()
    });
}

#[test]
fn a_call_moves_the_figures_and_leaves_them_as_they_should_be() {
    let office = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sink = format!(
        "[[ticket_sink]]\nname = \"office\"\nkind = \"http\"\nurl = \"http://{office}/\"\n\
         secret = {{ file = \"secrets/office\" }}\ntimeout = \"2s\"\n"
    );
    let engine = Engine::start("metrics", &plan(&sink));
    let mut lines = Lines::new();
    let is = |wanted: f64| move |value: f64| value == wanted;
    let some = |value: f64| value > 0.0;

    let fresh = scrape(&engine);
    assert_eq!(fresh.value("hotline_calls_active"), 0.0);
    assert!(fresh.value("hotline_calls_opened_total{line=\"12345\"}").is_nan(), "nobody has called yet");

    let secret = engine.data.join("secrets/seat-1001");
    let password = std::fs::read_to_string(secret).unwrap().trim().to_owned();
    let seat = lines.plug_in("1001", engine.sip, |config| {
        config.domain = "hotline.puyang".into();
        config.password = Some(password);
        config.answers = Answers::After(Duration::from_millis(200));
    });
    let caller = lines.plug_in("13800000061", engine.sip, |_| {});
    lines.order(seat, Phone::register);
    lines.until("registration", PATIENCE, |lines| {
        lines.saw(seat, |event| matches!(event, PhoneEvent::Registered { .. }))
    });
    until(
        &engine,
        &mut lines,
        &[
            ("hotline_seats{state=\"ready\"}", &is(1.0)),
            ("hotline_sip_table_rows{table=\"bindings\"}", &is(1.0)),
        ],
    );
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("the clerk's answer", PATIENCE, |lines| {
        lines.saw(seat, |event| *event == PhoneEvent::Answered)
    });

    // While they talk.
    until(
        &engine,
        &mut lines,
        &[
            ("hotline_calls_active", &is(1.0)),
            ("hotline_calls{state=\"talking\"}", &is(1.0)),
            ("hotline_calls{state=\"waiting\"}", &is(0.0)),
            ("hotline_seats{state=\"talking\"}", &is(1.0)),
            ("hotline_seats{state=\"ready\"}", &is(0.0)),
            ("hotline_seats_talking", &is(1.0)),
            ("hotline_rtp_ports_in_use", &is(2.0)),
            ("hotline_recordings_running", &is(1.0)),
            ("hotline_sip_table_rows{table=\"dialogs\"}", &is(2.0)),
            ("hotline_media_ticks_total", &|ticks| ticks > 200.0),
            ("hotline_media_datagrams_received_total", &|packets| packets > 50.0),
            ("hotline_media_datagrams_sent_total", &|packets| packets > 50.0),
            ("hotline_sip_received_total", &|packets| packets >= 6.0),
            ("hotline_sip_sent_total", &|packets| packets >= 6.0),
            ("hotline_tickets_owed{sink=\"store\"}", &is(0.0)),
            ("hotline_tickets_owed{sink=\"office\"}", &|events| events >= 4.0),
            ("hotline_tickets_owed_age_seconds{sink=\"office\"}", &some),
            ("hotline_tickets_tries_total{sink=\"store\",outcome=\"taken\"}", &|tries| tries >= 4.0),
            ("hotline_tickets_tries_total{sink=\"office\",outcome=\"retry\"}", &some),
        ],
    );
    lines.order(caller, Phone::hang_up);
    let reader = Reader::open(&engine.data.join(FILE)).unwrap();
    lines.until("the record", PATIENCE, |_| {
        let query = CallQuery { most: 1, ..CallQuery::default() };
        reader.calls(&query).unwrap().first().is_some_and(|record| record.recording.is_some())
    });
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"INVITE\r\n\r\n", engine.sip).unwrap();

    // And afterwards.
    until(
        &engine,
        &mut lines,
        &[
            ("hotline_calls_active", &is(0.0)),
            ("hotline_calls{state=\"talking\"}", &is(0.0)),
            ("hotline_calls_opened_total{line=\"12345\"}", &is(1.0)),
            ("hotline_calls_answered_total{line=\"12345\"}", &is(1.0)),
            ("hotline_calls_closed_total{line=\"12345\",cause=\"caller_hung_up\"}", &is(1.0)),
            ("hotline_calls_undurable_total", &is(0.0)),
            ("hotline_rtp_ports_in_use", &is(0.0)),
            ("hotline_recordings_running", &is(0.0)),
            ("hotline_recording_lost_frames_total", &is(0.0)),
            ("hotline_recorder_frames_unwritten_total", &is(0.0)),
            ("hotline_rtp_received_total", &|packets| packets > 50.0),
            ("hotline_rtp_sent_total", &|packets| packets > 50.0),
            ("hotline_seat_offers_total", &is(1.0)),
            ("hotline_seat_offers_by_purpose_total{purpose=\"caller\"}", &is(1.0)),
            ("hotline_offer_delay_seconds_count", &is(1.0)),
            ("hotline_seats_away{why=\"said\"}", &is(0.0)),
            ("hotline_seat_talk_seconds_count", &is(1.0)),
            ("hotline_service_level_met_total", &is(1.0)),
            ("hotline_store_commit_seconds_count", &|commits| commits >= 3.0),
            ("hotline_store_failing", &is(0.0)),
            ("hotline_store_pending_jobs", &is(0.0)),
            ("hotline_loop_delay_seconds_count", &some),
            ("hotline_queue_length{queue=\"main\"}", &is(0.0)),
            ("hotline_queue_surge{queue=\"main\"}", &is(0.0)),
            ("hotline_requests_turned_away_total{reason=\"malformed\"}", &is(1.0)),
            ("hotline_media_faults_total", &is(0.0)),
            ("hotline_draining", &is(0.0)),
        ],
    );
}

#[test]
fn a_poisoned_ticket_a_reload_and_a_crash_are_counted() {
    // An office that refuses everything for good.
    let office = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = office.local_addr().unwrap();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in office.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let mut room = [0; 8_192];
            while stream.read(&mut room).is_ok_and(|length| length > 0) {
                let refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                if stream.write_all(refusal).is_err() || room.windows(2).any(|end| end == b"}}") {
                    break;
                }
            }
        }
    });
    let sink = format!(
        "[[ticket_sink]]\nname = \"office\"\nkind = \"http\"\nurl = \"http://{address}/\"\n\
         secret = {{ file = \"secrets/office\" }}\ntimeout = \"2s\"\n"
    );
    let mut engine = Engine::start("poison", &plan(&sink));
    let mut lines = Lines::new();
    let caller = lines.plug_in("13800000062", engine.sip, |_| {});
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    until(
        &engine,
        &mut lines,
        &[
            ("hotline_tickets_dead_letters_total{sink=\"office\"}", &|letters| letters >= 2.0),
            ("hotline_alarms_total{kind=\"dead_letter\"}", &|alarms| alarms >= 2.0),
            ("hotline_tickets_tries_total{sink=\"office\",outcome=\"refused\"}", &|tries| tries >= 2.0),
        ],
    );
    engine.process.reload().unwrap();
    until(
        &engine,
        &mut lines,
        &[("hotline_plan_reloads_total{outcome=\"unchanged\",trigger=\"signal\"}", &|reloads| {
            reloads == 1.0
        })],
    );
    let faulty = plan("nonsense = 1");
    std::fs::write(engine.data.join("routing.toml"), &faulty).unwrap();
    engine.process.reload().unwrap();
    until(
        &engine,
        &mut lines,
        &[("hotline_plan_reloads_total{outcome=\"refused\",trigger=\"signal\"}", &|reloads| reloads == 1.0)],
    );
    std::fs::write(engine.data.join("routing.toml"), plan(&sink)).unwrap();
    engine.kill();
    engine.restart();
    until(
        &engine,
        &mut lines,
        &[
            ("hotline_calls_closed_total{line=\"other\",cause=\"crash\"}", &|calls| calls == 1.0),
            ("hotline_calls_active", &|calls| calls == 0.0),
        ],
    );
}
