//! SIPp takes early media reliably: PRACK, a 2xx that says nothing twice, and a session refresh.

use std::time::Duration;

use hotline::switchboard::fact::Cause;

use crate::plan::engine_on_plan;
use crate::records::closed_calls;
use crate::sipp::{OFFER, Scenario};

/// Within the months in which callers of merged numbers hear of the merger first.
const WHEN: &str = "2021-09-01T09:00:00+08:00";
const EARLY: (&str, &str) = ("early_media = false", "early_media = true");
const SDP: &str = "\nContent-Type: application/sdp";
/// So long that the 183 is repeated once; SIPp takes that in by itself.
const LATE: &str = "<pause milliseconds=\"900\"/>";

pub fn early_media_answers_reliably_and_the_200_says_nothing_twice() {
    takes_early_media(false, false);
}

pub fn a_late_offer_is_made_reliably_repeated_and_answered_in_the_prack() {
    takes_early_media(true, true);
}

/// A caller whose INVITE offers or not, and whose PRACK comes at once or not.
fn takes_early_media(late: bool, late_prack: bool) {
    let engine = engine_on_plan(&format!("sipp-100rel-{late}-{late_prack}"), WHEN, &[EARLY], &[]);
    let scenario = Scenario::of("reliable").with("late_prack", if late_prack { LATE } else { "" });
    let (theirs, answer) = if late { (("", ""), (SDP, OFFER)) } else { ((SDP, OFFER), ("", "")) };
    let scenario = scenario
        .with("headers", theirs.0)
        .with("body", theirs.1)
        .with("prack_headers", answer.0)
        .with("prack_body", answer.1);
    let log = scenario.within(Duration::from_secs(60)).run(&engine, "12336");
    let early = log.received("SIP/2.0 183");
    assert_eq!(early.len(), 1 + usize::from(late_prack), "repeated until its PRACK");
    assert!(early[0].header("Require").is_some_and(|tags| tags.contains("100rel")));
    assert!(early[0].text.contains("m=audio "), "{}", early[0].text);
    let ok = log.answer_to("INVITE");
    assert!(!ok.text.contains("m=audio "), "it was said in the 183: {}", ok.text);
    assert_eq!(ok.header("Session-Expires"), Some("1800;refresher=uac"));
    assert_eq!(log.answer_to("UPDATE").header("Session-Expires"), Some("1800;refresher=uac"));
    let [record] = closed_calls(&engine, 1).try_into().unwrap();
    assert_eq!(record.cause, Some(Cause::CallerHungUp));
    assert!(record.answered_ms.is_some());
}
