//! The webhook: signed events at an office that is well, wrong, slow, gone, or forgetful.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hotline::io::secrets::Keyring;
use hotline::io::ticket_sink::{self, TicketSink};
use hotline::routing::feed::Pace;
use hotline::routing::plan::{SecretRef, Sink, SinkKind};
use hotline::tickets::event::Outcome;

use crate::contract::{assert_signed, valid};
use crate::post::{Post, call, is_failure, story};
use crate::stub::{Answer, Seen, Stub, closed_door};

const TIMEOUT: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_secs(30);

/// An adapter with its secret, made on first run.
struct Hook {
    adapter: Arc<dyn TicketSink>,
    secret: String,
    data: PathBuf,
}

impl Hook {
    fn to(url: &str, name: &str) -> Hook {
        let data = std::env::temp_dir().join(format!("hotline-hook-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        std::fs::create_dir_all(&data).unwrap();
        let secret = SecretRef::File("secrets/office".into());
        let kind = SinkKind::Http { url: url.to_owned(), secret };
        let sink = Sink { name: "office".into(), kind, timeout: TIMEOUT, pace: Pace::default() };
        let adapter = ticket_sink::open(&sink, &mut Keyring::new(&data)).unwrap().unwrap();
        let secret = std::fs::read_to_string(data.join("secrets/office")).unwrap().trim().to_owned();
        Hook { adapter, secret, data }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

fn wall() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(work)
}

/// Ids of what the office has taken, per call in the order of arrival.
fn taken(seen: &[Seen]) -> BTreeMap<String, Vec<String>> {
    let mut taken: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in seen.iter().filter(|one| one.is_taken()) {
        let event = valid(&one.body);
        let text = |field: &str| event[field].as_str().unwrap().to_owned();
        taken.entry(text("subject")).or_default().push(text("sequence"));
    }
    taken
}

#[test]
fn an_event_comes_signed_and_named_as_the_contract_says() {
    let stub = Stub::open();
    let hook = Hook::to(&stub.url(), "signed");
    for event in story(1) {
        assert_eq!(run(hook.adapter.deliver(&event)), Outcome::Taken);
    }
    let seen = stub.seen();
    assert_eq!(seen.len(), 4);
    for (one, event) in seen.iter().zip(story(1)) {
        assert_eq!(one.method, "POST");
        assert_eq!(one.header("content-type"), "application/cloudevents+json; charset=utf-8");
        assert_eq!(one.body, event.json.as_bytes(), "the document that was kept, to the byte");
        assert_signed(&hook.secret, |name| one.header(name), &one.body, wall());
        let id = valid(&one.body)["id"].as_str().unwrap().to_owned();
        assert_eq!((one.header("webhook-id"), one.header("idempotency-key")), (id.clone(), id));
    }
}

#[test]
fn each_answer_of_the_office_means_what_the_contract_says() {
    let taken = |_: &str| Outcome::Taken;
    let refused = |why: &str| Outcome::Refused(why.into());
    let later = |why: &str| Outcome::Retry(why.into());
    let wait = |why: &str| Outcome::RetryAfter(why.into(), Duration::from_secs(17));
    type Means<'a> = &'a dyn Fn(&str) -> Outcome;
    let rows: [(Answer, &str, Means); 17] = [
        (Answer::Status(200), "", &taken),
        (Answer::Status(202), "", &taken),
        (Answer::Status(204), "", &taken),
        (Answer::Redirect, "307 Temporary Redirect", &refused),
        (Answer::Status(400), "400 Bad Request", &refused),
        (Answer::Status(401), "401 Unauthorized", &later),
        (Answer::Status(403), "403 Forbidden", &later),
        (Answer::Status(404), "404 Not Found", &later),
        (Answer::Status(407), "407 Proxy Authentication Required", &later),
        (Answer::Status(410), "410 Gone", &refused),
        (Answer::Status(422), "422 Unprocessable Entity", &refused),
        (Answer::Status(408), "408 Request Timeout", &later),
        (Answer::Status(425), "425 Too Early", &later),
        (Answer::Status(429), "429 Too Many Requests", &later),
        (Answer::Wait(429, 17), "429 Too Many Requests", &wait),
        (Answer::Status(500), "500 Internal Server Error", &later),
        (Answer::Wait(503, 17), "503 Service Unavailable", &wait),
    ];
    let stub = Stub::open();
    let hook = Hook::to(&stub.url(), "answers");
    let event = story(1).remove(0);
    for (answer, words, means) in rows {
        stub.answer([answer]);
        assert_eq!(run(hook.adapter.deliver(&event)), means(words), "{answer:?}");
    }
    stub.answer([Answer::Lost]);
    let lost = run(hook.adapter.deliver(&event));
    assert!(is_failure(Some(&lost)), "{lost:?}");
    assert_eq!(stub.seen().len(), rows_and(1), "a redirect is not followed");

    let nobody = Hook::to(&format!("http://{}/", closed_door()), "nobody");
    let Outcome::Retry(why) = run(nobody.adapter.deliver(&event)) else {
        panic!("a closed door is no refusal");
    };
    assert!(why.contains("refused"), "the log says why: {why}");
}

/// Requests of the table above and of `more` after it.
fn rows_and(more: usize) -> usize {
    17 + more
}

#[test]
fn an_office_that_loses_its_answer_gets_the_event_again_under_the_same_name() {
    let stub = Stub::open();
    let hook = Hook::to(&stub.url(), "lost");
    stub.answer([Answer::Status(200), Answer::Lost, Answer::Status(500)]);
    let mut post = Post::new(hook.adapter.clone(), TIMEOUT);
    post.owe(story(1));
    run(post.until_empty(PATIENCE));
    let seen = stub.seen();
    let names: Vec<String> =
        seen.iter().map(|one| one.header("webhook-id").rsplit_once('/').unwrap().1.to_owned()).collect();
    assert_eq!(names, ["1", "2", "2", "2", "3", "4"]);
    let [lost, failed, taken] = [1, 2, 3].map(|at| &seen[at]);
    for again in [failed, taken] {
        assert_eq!(again.header("idempotency-key"), lost.header("idempotency-key"));
        assert_eq!(again.body, lost.body);
        assert_signed(&hook.secret, |name| again.header(name), &again.body, wall());
    }
    // Signed anew: a receiver that refuses stale timestamps takes a late try too.
    let signed_at = |one: &Seen| one.header("webhook-timestamp").parse::<i64>().unwrap();
    assert!(signed_at(taken) > signed_at(lost));
    post.assert_patient();
    post.assert_in_order([1]);
}

#[test]
fn a_poisoned_event_is_set_aside_and_everything_else_arrives_in_order() {
    let stub = Stub::open();
    let hook = Hook::to(&stub.url(), "poison");
    let poison = story(2)[1].clone();
    let name = format!("\"id\":\"{}/2\"", call(2));
    stub.judge(move |body| String::from_utf8_lossy(body).contains(&name).then_some(Answer::Status(400)));
    let mut post = Post::new(hook.adapter.clone(), TIMEOUT);
    (1..=20).for_each(|n| post.owe(story(n)));
    run(post.until_empty(PATIENCE));
    assert_eq!(post.dead, [(poison.event, "400 Bad Request".to_owned())]);
    let taken = taken(&stub.seen());
    for n in 1..=20 {
        let wanted: &[u32] = if n == 2 { &[1, 3, 4] } else { &[1, 2, 3, 4] };
        let wanted: Vec<String> = wanted.iter().map(|sequence| format!("{sequence:010}")).collect();
        assert_eq!(taken[&call(n).to_string()], wanted, "call {n}");
    }
    assert_eq!(stub.seen().len(), 80, "none of them twice");
    post.assert_in_order(1..=20);
}

#[test]
fn an_office_that_is_closed_at_first_gets_all_of_it_when_it_opens() {
    let address = closed_door();
    let hook = Hook::to(&format!("http://{address}/events"), "closed");
    let mut post = Post::new(hook.adapter.clone(), TIMEOUT);
    let calls = 1..=12;
    calls.clone().for_each(|n| post.owe(story(n)));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let failed = |post: &Post, most: usize| {
        post.tries.iter().filter(|one| is_failure(one.outcome.as_ref())).count() >= most
    };
    // Eight side by side, then one at a time.
    runtime.block_on(post.until("ten tries in vain", PATIENCE, |post| failed(post, 10)));
    post.assert_patient();
    let stub = Stub::open_at(address);
    runtime.block_on(post.until_empty(PATIENCE));
    post.assert_patient();
    post.assert_in_order(calls.clone());
    let taken = taken(&stub.seen());
    let whole: Vec<String> = (1..=4).map(|sequence| format!("{sequence:010}")).collect();
    assert!(calls.clone().all(|n| taken[&call(n).to_string()] == whole), "{taken:?}");
    assert_eq!(stub.seen().len(), 48, "each arrives once");
}

#[test]
fn an_office_that_hangs_is_given_up_after_the_timeout_and_tried_again() {
    let stub = Stub::open();
    let hook = Hook::to(&stub.url(), "hang");
    stub.answer([Answer::Hang, Answer::Hang]);
    let mut post = Post::new(hook.adapter.clone(), TIMEOUT);
    post.owe(story(1));
    run(post.until_empty(PATIENCE));
    let timed_out = Some(Outcome::Retry("timed out".into()));
    assert_eq!([&post.tries[0].outcome, &post.tries[1].outcome], [&timed_out, &timed_out]);
    assert_eq!(post.tries.len(), 6);
    post.assert_patient();
    post.assert_in_order([1]);
}

#[test]
fn an_office_that_asks_for_a_pause_gets_it() {
    let stub = Stub::open();
    let hook = Hook::to(&stub.url(), "pause");
    stub.answer([Answer::Wait(429, 3)]);
    let mut post = Post::new(hook.adapter.clone(), TIMEOUT);
    post.owe(story(1));
    run(post.until_empty(PATIENCE));
    let seen = stub.seen();
    assert_eq!(seen.len(), 5);
    let pause = seen[1].at - seen[0].at;
    assert!(pause >= Duration::from_secs(3), "{pause:?}");
    let names: HashMap<String, usize> = seen.iter().fold(HashMap::new(), |mut names, one| {
        *names.entry(one.header("webhook-id")).or_default() += 1;
        names
    });
    assert_eq!(names[&format!("{}/1", call(1))], 2);
}
