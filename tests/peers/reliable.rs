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
const AGAIN: &str = "<recv response=\"183\"/>";

#[test]
fn early_media_goes_reliably_with_the_offer_of_either_side() {
    // Who offers, and whether the first PRACK is as good as lost.
    for (late, lost) in [(false, false), (true, false), (false, true), (true, true)] {
        let engine = engine_on_plan(&format!("sipp-100rel-{late}-{lost}"), WHEN, &[EARLY], &[]);
        let scenario = Scenario::of("reliable").with("lost", if lost { AGAIN } else { "" });
        let (theirs, answer) = if late { (("", ""), (SDP, OFFER)) } else { ((SDP, OFFER), ("", "")) };
        let scenario = scenario
            .with("headers", theirs.0)
            .with("body", theirs.1)
            .with("prack_headers", answer.0)
            .with("prack_body", answer.1);
        let log = scenario.within(Duration::from_secs(60)).run(&engine, "12336");
        let early = log.received("SIP/2.0 183");
        assert_eq!(early.len(), 1 + usize::from(lost), "repeated until its PRACK");
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
}
