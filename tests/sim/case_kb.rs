//! Articles of the knowledge base in calls: who may say that one was told, and who hears of it.

use hotline::id::CallId;
use hotline::routing::people::Role;
use hotline::switchboard::request::{ArticleFault, ArticleUse, Asker, Refusal, Reply, Request};
use hotline::tickets::event::{EventBody, read};

use crate::city::{City, secs};
use crate::seed::in_a_city;

fn asks(city: &mut City, seat: &str, request: Request) -> Result<Reply, Refusal> {
    let asker = Asker { name: seat.into(), role: Role::Clerk, seat: Some(seat.into()) };
    let now = city.now();
    let reply = city.board.ask(&asker, request, now);
    city.dispatch();
    reply
}

fn used(call: CallId, version: &str, settled: bool) -> Request {
    let (article, version) = ("rs-0002".into(), version.into());
    // Whose word it is, the house says and not who asks.
    Request::UseArticle { call, used: ArticleUse { article, version, settled, ..ArticleUse::default() } }
}

#[test]
fn a_clerk_says_in_the_call_and_behind_it_which_wording_was_told_and_what_is_wrong_with_it() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        city.seat("1002").never_answers();
        let caller = city.phone("13800000001").dials("12345");
        city.run_for(secs(2));
        let call = city.call_of(caller).expect("a call");
        assert_eq!(asks(city, "1001", used(call, "1", false)), Err(Refusal::NotAllowed), "nobody's yet");
        assert!(city.run_until(secs(30), |city| city.talks_to(caller) == Some(clerk)), "{}", city.story());
        assert_eq!(asks(city, "1002", used(call, "1", false)), Err(Refusal::NotAllowed), "another's call");
        assert_eq!(asks(city, "1001", used(call, "1", false)), Ok(Reply::Done));
        city.hangs_up(caller);
        city.run_for(secs(5));
        assert_eq!(asks(city, "1001", used(call, "2", true)), Ok(Reply::Done), "in the wrap-up");
        let fault = ArticleFault {
            article: "rs-0002".into(),
            version: "2".into(),
            text: "错".into(),
            by: "who".into(),
        };
        assert_eq!(asks(city, "1001", Request::ReportArticle { call, fault }), Ok(Reply::Done));
        city.run_for(secs(5));
        let record = city.record_of(caller);
        let kept: Vec<_> = record
            .marks
            .articles
            .iter()
            .map(|used| (used.version.as_str(), used.settled, used.by.as_str()))
            .collect();
        assert_eq!(kept, [("2", true, "1001")], "the last word");
        assert!(record.marks.is_settled());
        let told: Vec<String> = city
            .books
            .taken
            .iter()
            .filter(|event| event.event.call == call)
            .filter_map(|event| match read(&event.json).expect("an event").body {
                EventBody::ArticleUsed { version, settled, by, .. } => {
                    Some(format!("{version} {settled} {by}"))
                }
                EventBody::ArticleFaulty { version, text, by, .. } => Some(format!("{version} {text} {by}")),
                _ => None,
            })
            .collect();
        assert_eq!(told, ["1 false 1001", "2 true 1001", "2 错 1001"]);
    });
}
