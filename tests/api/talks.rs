//! A clerk and a caller on real sockets: what each role sees of the talk while it goes on.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use hotline::io::clock::Clock;
use hotline::io::house::{Ask, Door, House, Ready, Setup};
use hotline::io::http::{self, Bounds, feed::Feed};
use hotline::io::media::ShellChoice;
use hotline::io::store::{Desk, FILE, Opening};
use hotline::io::trace::Tracer;
use hotline::phone::{Answers, Dial, Phone, PhoneEvent};
use hotline::routing::Overrides;
use hotline::routing::admin::HttpAt;
use hotline::telemetry::Metrics;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::client::{PATIENCE, get};
use crate::document::is_valid;
use crate::fixture::{CALLER, token, tokens};
use crate::line::Lines;

/// A house in a thread of its own.
struct Home {
    door: Door,
    ready: Ready,
    data: std::path::PathBuf,
    worker: tokio::runtime::Runtime,
    thread: Option<JoinHandle<()>>,
}

impl Home {
    fn open(name: &str) -> Home {
        let data = std::env::temp_dir().join(format!("hotline-api-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        let setup = Setup {
            config: Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml"),
            overrides: Overrides {
                listen: vec!["127.0.0.1:0".parse().unwrap()],
                rtp_ports: Some((20_000, 29_999)),
                http: Some(HttpAt::Nowhere),
                ..Overrides::default()
            },
            data: data.clone(),
            clock: Clock::shifted("2021-12-01T09:00:00+08:00".parse().unwrap()),
            shell: ShellChoice::Auto,
            log: None,
        };
        let worker =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let handle = worker.handle().clone();
        let (tell, told) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            let control = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            control.block_on(async {
                let house = House::open(setup, handle).unwrap();
                tell.send((house.door(), house.ready().clone())).unwrap();
                house.run().await;
            });
        });
        let (door, ready) = told.recv().unwrap();
        Home { door, ready, data, worker, thread: Some(thread) }
    }

    /// The API of this house with a token for each role.
    fn serve(&self) -> std::net::SocketAddr {
        let (sender, known) = watch::channel(tokens());
        // Kept for the API's life: the test's.
        std::mem::forget(sender);
        let scratch = self.data.join("scratch");
        std::fs::create_dir_all(&scratch).unwrap();
        let store = Opening::open(&scratch, &[]).unwrap().start(|_| {}).unwrap();
        let plan = crate::fixture::plan();
        let tracer = Tracer::start(scratch, plan.trace, &[], Clock::system()).unwrap();
        let state = http::State {
            door: self.door.clone(),
            figures: Metrics::new().figures().clone(),
            serving: Arc::default(),
            tokens: known,
            kb: watch::channel(None).1,
            ring: Feed::default().ring(),
            data: self.data.clone(),
            seal_keys: watch::channel(Default::default()).1,
            desk: Desk::start(self.data.join(FILE)).unwrap(),
            errands: store.errands(),
            flush: tracer.flush(),
            bounds: Bounds::default(),
        };
        http::serve(http::bind("127.0.0.1:0".parse().unwrap()).unwrap(), state, self.worker.handle()).unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        for _ in 0..2 {
            let _ = self.door.send(Ask::Stop);
        }
        let ended = self.thread.take().map(JoinHandle::join);
        let _ = std::fs::remove_dir_all(&self.data);
        assert!(std::thread::panicking() || ended.is_none_or(|ended| ended.is_ok()));
    }
}

#[test]
fn a_clerk_sees_the_number_of_who_is_on_the_line_and_others_do_not() {
    let home = Home::open("talks");
    let at = home.serve();
    let (_, sip) = home.ready.sip[0];
    let mut lines = Lines::new();
    let password = std::fs::read_to_string(home.data.join("secrets/seat-1001")).unwrap();
    let seat = lines.plug_in("1001", sip, |config| {
        config.domain = "hotline.puyang".into();
        config.password = Some(password.trim().to_owned());
        config.answers = Answers::After(Duration::from_millis(50));
    });
    lines.order(seat, Phone::register);
    lines.until("registration", PATIENCE, |lines| {
        lines.saw(seat, |event| matches!(event, PhoneEvent::Registered { .. }))
    });
    let ready = get(at, "/v1/seats/1001", &token("observer")).json();
    assert_eq!(ready["state"], "ready");
    let caller = lines.plug_in(CALLER, sip, |_| {});
    lines.order(caller, |phone, now| phone.dial(Dial::to("12345"), now)).unwrap();
    lines.until("the talk", PATIENCE, |lines| {
        lines.saw(seat, |event| *event == PhoneEvent::Answered)
            && get(at, "/v1/seats/1001", &token("observer")).json()["state"] == "talking"
    });

    let state = get(at, "/v1/seats/1001", &token("trainee")).json();
    is_valid("SeatView", &state);
    let calls = |role: &str| get(at, "/v1/calls", &token(role)).json();
    let id = calls("observer")[0]["call"].as_str().unwrap().to_owned();
    assert_eq!(state["call"], id);
    // Whoever else sits at 1001 by their token is of its calls, but for those who only watch.
    let full = ["admin", "supervisor", "clerk", "expert", "leader"];
    for role in full.into_iter().chain(["observer", "trainee"]) {
        let shown = if full.contains(&role) { CALLER } else { "138******42" };
        let listed = calls(role);
        is_valid("CallView", &listed[0]);
        let expected = json!({
            "call": id, "line": "12345", "caller": shown, "ticket": listed[0]["ticket"], "state": "talking",
            "opened_at": listed[0]["opened_at"], "seats": ["1001"],
        });
        assert_eq!(listed, json!([expected]), "{role}");
        let detail = get(at, &format!("/v1/calls/{id}"), &token(role)).json();
        is_valid("CallDetail", &detail);
        assert_eq!((&detail["now"], &detail["record"]["caller"]), (&expected, &json!(shown)), "{role}");
        assert_eq!(detail["record"]["cause"], Value::Null);
    }
    let snapshot = get(at, "/v1/snapshot", &token("trainee")).json();
    assert_eq!(snapshot["calls"][0]["caller"], "138******42");
    lines.order(caller, Phone::hang_up);
    lines.until("the end", PATIENCE, |_| calls("admin") == json!([]));
}
