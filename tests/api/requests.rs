//! What people ask arrives at the house as they asked it, in their own name.

use std::time::Duration;

use hotline::acd::event::Change;
use hotline::call::Wish;
use hotline::routing::people::Role;
use hotline::switchboard::request::{Disposed, Flag, Request, Watching};

use crate::client::{get, post};
use crate::document::is_valid;
use crate::fixture::{OWNER, Served, call, fact, opened, plan, token};

#[test]
fn every_request_is_what_was_asked() {
    let served = Served::open("requests");
    let id = call(1);
    let seat = || "1001".into();
    let of = |verb: &str| format!("/v1/calls/{id}/{verb}");
    let wish = |wish| Request::Call { call: id, wish };
    let change = |change| Request::Seat { seat: "1001".into(), change };
    let watch = |how| Request::Watch { call: id, seat: "1001".into(), how };
    let flag = |flag| Request::Flag { call: id, flag };
    let state = "/v1/seats/1001/state".to_owned();
    let disposed =
        Disposed { field: Some("f".into()), secret: true, by: "admin-desk".into(), ..Disposed::default() };
    let dial = |number: &str, line: Option<&str>, of| {
        let (number, line) = (number.to_owned(), line.map(Into::into));
        Request::Dial { seat: "1001".into(), number, line, of }
    };
    let missed = format!("/v1/missed/{id}/call-back");
    let after_call = format!(r#"{{"number":"+8613800000042","line":"12345","of":"{id}"}}"#);
    let surge = |on| Request::Surge { queue: "main".into(), on };
    let cases: Vec<(String, &str, Request)> = vec![
        (state.clone(), r#"{"state":"ready"}"#, change(Change::Ready)),
        (
            state.clone(),
            r#"{"state":"away","reason":"lunch"}"#,
            change(Change::Away { reason: "lunch".into() }),
        ),
        (
            state.clone(),
            r#"{"state":"wrap_up","seconds":60}"#,
            change(Change::MoreWrapUp(Duration::from_secs(60))),
        ),
        (state.clone(), r#"{"state":"rest","seconds":90}"#, change(Change::Rest(Duration::from_secs(90)))),
        (state.clone(), r#"{"state":"rest"}"#, change(Change::Rest(plan().work.rest))),
        (state, r#"{"state":"force_away"}"#, change(Change::ForceAway)),
        ("/v1/seats/1001/dial".into(), r#"{"number":"110"}"#, dial("110", None, None)),
        ("/v1/seats/1001/dial".into(), &after_call, dial("+8613800000042", Some("12345"), Some(id))),
        ("/v1/queues/main/surge".into(), r#"{"on":true}"#, surge(Some(true))),
        ("/v1/queues/main/surge".into(), r#"{"on":null}"#, surge(None)),
        (of("consult"), r#"{"to":"12315"}"#, wish(Wish::Consult { to: "12315".into() })),
        (of("merge"), "", wish(Wish::Merge)),
        (of("leave"), "{}", wish(Wish::Leave)),
        (of("return"), "", wish(Wish::Return)),
        (of("hold"), "", wish(Wish::Hold)),
        (of("resume"), "", wish(Wish::Resume)),
        (of("requeue"), "", wish(Wish::Requeue { queue: None })),
        (of("requeue"), r#"{"queue":"main"}"#, wish(Wish::Requeue { queue: Some("main".into()) })),
        (of("take-over"), r#"{"seat":"1001"}"#, wish(Wish::TakeOver { seat: seat() })),
        (of("end"), "", wish(Wish::End)),
        (of("watch"), r#"{"seat":"1001","how":"listen"}"#, watch(Watching::Listen)),
        (of("watch"), r#"{"seat":"1001","how":"whisper"}"#, watch(Watching::Whisper)),
        (of("watch"), r#"{"seat":"1001","how":"barge"}"#, watch(Watching::Barge)),
        (of("disposition"), r#"{"field":"f","secret":true}"#, Request::Dispose { call: id, disposed }),
        (of("flag"), r#"{"flag":"abusive"}"#, flag(Flag::Abusive)),
        (of("flag"), r#"{"flag":"confidential"}"#, flag(Flag::Confidential)),
        (of("flag"), r#"{"flag":"urgent"}"#, flag(Flag::Urgent)),
        (missed, r#"{"seat":"1001"}"#, Request::CallBack { missed: id, seat: seat() }),
    ];
    for (path, body, request) in cases {
        let answer = post(served.at, &path, &token("admin"), body);
        assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
        is_valid("Done", &answer.json());
        let asked: Vec<_> = served.asked().into_iter().map(|(_, request)| request).collect();
        assert_eq!(asked, [request], "{path} {body}");
    }
}

#[test]
fn who_names_no_seat_means_their_own() {
    let served = Served::open("own-seat");
    let (clerk, supervisor) = (token("clerk"), token("supervisor"));
    post(served.at, &format!("/v1/missed/{}/call-back", call(1)), &clerk, "");
    post(served.at, &format!("/v1/calls/{}/take-over", call(1)), &supervisor, "");
    post(served.at, &format!("/v1/calls/{}/watch", call(1)), &supervisor, r#"{"how":"barge"}"#);
    let asked: Vec<_> = served.asked().into_iter().map(|(_, request)| request).collect();
    let seat = || "1001".into();
    let wanted = [
        Request::CallBack { missed: call(1), seat: seat() },
        Request::Call { call: call(1), wish: Wish::TakeOver { seat: seat() } },
        Request::Watch { call: call(1), seat: seat(), how: Watching::Barge },
    ];
    assert_eq!(asked, wanted);
}

#[test]
fn a_role_tokens_own_name_is_its_holders_and_the_house_token_names_a_person() {
    let served = Served::open("names");
    let path = format!("/v1/calls/{}/hold", call(1));
    for (token, name, role) in [
        (token("clerk"), "clerk-desk", Role::Clerk),
        (token("admin"), "admin-desk", Role::Admin),
        (OWNER.to_owned(), "wang", Role::Admin),
    ] {
        assert_eq!(post(served.at, &format!("{path}?by=wang"), &token, "").status, 200);
        let asked = served.asked();
        let [(asker, _)] = &asked[..] else { panic!("one request: {asked:?}") };
        assert_eq!((asker.name.as_str(), asker.role), (name, role));
    }
    post(served.at, &path, OWNER, "");
    assert_eq!(served.asked()[0].0.name, "admin");

    // In the ledger as well.
    served.write(vec![fact(call(1), 1, opened())]);
    let look = format!("/v1/traces/{}?by=wang&reason=complaint", call(1));
    for token in [token("supervisor"), OWNER.to_owned()] {
        assert_eq!(get(served.at, &look, &token).status, 200);
    }
    let entries = get(served.at, "/v1/ledger", &token("admin")).json();
    let actors: Vec<_> = entries.as_array().unwrap().iter().map(|entry| entry["actor"].clone()).collect();
    assert_eq!(actors, ["wang", "supervisor-desk"]);
}
