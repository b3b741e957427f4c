//! Extensions as the operator wants them with one trunk, row by row: reliable provisional answers (RFC 3262) and
//! session timers (RFC 4028), in our INVITEs and in how theirs are answered.

use hotline::sip::Name;
use hotline::sip::trunk_terms::{Provisional, TrunkTerms};

use crate::wire::*;

fn wire(terms: TrunkTerms) -> Wire {
    let mut config = config();
    config.trunks[0].terms = terms;
    Wire::with(config)
}

fn provisional(provisional: Provisional) -> TrunkTerms {
    TrunkTerms { provisional, ..TrunkTerms::default() }
}

/// RFC 3262 §4, RFC 4028 §7.1: what our INVITE says.
#[test]
fn our_invite_says_what_the_operator_wants_row_by_row() {
    let usual = TrunkTerms::default();
    let rows = [
        (usual, "100rel, timer, replaces, norefersub", "", "1800"),
        (provisional(Provisional::Required), "100rel, timer, replaces, norefersub", "100rel", "1800"),
        (provisional(Provisional::Unreliable), "timer, replaces, norefersub", "", "1800"),
        (TrunkTerms { timer: false, ..usual }, "100rel, replaces, norefersub", "", ""),
        (
            TrunkTerms { timer: false, provisional: Provisional::Unreliable, ..usual },
            "replaces, norefersub",
            "",
            "",
        ),
        (TrunkTerms { session_expires_s: 600, ..usual }, "100rel, timer, replaces, norefersub", "", "600"),
        // RFC 4028 §5: not below 90 s, whatever is said.
        (TrunkTerms { session_expires_s: 30, ..usual }, "100rel, timer, replaces, norefersub", "", "90"),
    ];
    for (terms, supported, required, expires) in rows {
        let (_, invite) = wire(terms).calling();
        assert_eq!(head(&invite, Name::Supported), supported, "{terms:?}");
        assert_eq!(head(&invite, Name::Require), required, "{terms:?}");
        assert_eq!(head(&invite, Name::SessionExpires), expires, "{terms:?}");
    }
}

/// RFC 3261 §8.2.2.3 and §21.4.16: what is off and required gets 420, what is lacking and required 421.
#[test]
fn their_invite_is_taken_or_refused_row_by_row() {
    use Provisional::{Required, Supported, Unreliable};
    let timerless = TrunkTerms { timer: false, ..TrunkTerms::default() };
    let rows = [
        (provisional(Supported), "", None),
        (provisional(Supported), "Require: 100rel\r\n", None),
        (provisional(Required), "Supported: 100rel\r\n", None),
        (provisional(Required), "Require: 100rel\r\n", None),
        (provisional(Required), "", Some(("421", Name::Require, "100rel"))),
        (provisional(Required), "Supported: timer\r\n", Some(("421", Name::Require, "100rel"))),
        (provisional(Unreliable), "", None),
        (provisional(Unreliable), "Supported: 100rel\r\n", None),
        (provisional(Unreliable), "Require: 100rel\r\n", Some(("420", Name::Unsupported, "100rel"))),
        (timerless, "Supported: timer\r\nSession-Expires: 60\r\n", None),
        (timerless, "Require: timer\r\n", Some(("420", Name::Unsupported, "timer"))),
    ];
    for (terms, more, wanted) in rows {
        let mut wire = wire(terms);
        let mut call = Call::new("a");
        call.more = more.into();
        wire.hear(CARRIER, call.invite(OFFER));
        match wanted {
            None => {
                let invited = wire.invited();
                let reliable = terms.provisional != Unreliable && more.contains("100rel");
                assert_eq!(invited.reliable, reliable, "{terms:?} {more}");
            }
            Some((status, header, value)) => {
                let refusal = wire.next_sent();
                let said = (name(&refusal), head(&refusal, header));
                assert_eq!(said, (status.to_owned(), value.to_owned()), "{terms:?} {more}");
            }
        }
    }
}

/// RFC 3262 §3: which provisional answers of ours want a PRACK.
#[test]
fn provisional_answers_go_reliably_row_by_row() {
    use Provisional::{Required, Supported, Unreliable};
    let rows = [
        (Supported, "", false, false),
        (Supported, "Supported: 100rel\r\n", false, false),
        (Supported, "Supported: 100rel\r\n", true, true),
        (Supported, "Require: 100rel\r\n", false, true),
        (Required, "Supported: 100rel\r\n", false, true),
        (Required, "Supported: 100rel\r\n", true, true),
        (Unreliable, "Supported: 100rel\r\n", true, false),
    ];
    for (policy, more, describes, wanted) in rows {
        let mut wire = wire(provisional(policy));
        let mut call = Call::new("a");
        call.more = more.into();
        wire.hear(CARRIER, call.invite(OFFER));
        let session = wire.invited().session;
        assert_eq!(wire.said(), ["100"]);
        let early = describes.then(sdp);
        wire.endpoint.progress(session, 183, early.as_ref(), wire.now);
        wire.drain();
        let sent = wire.next_sent();
        assert_eq!(sent.lists(Name::Require, "100rel"), wanted, "{policy:?} {more} {describes}");
        assert_eq!(!head(&sent, Name::Rseq).is_empty(), wanted);
    }
}

/// RFC 4028 §9: what a 200 of ours says of the timer, and that without one nothing is ever refreshed.
#[test]
fn timers_are_given_and_kept_row_by_row() {
    let usual = TrunkTerms::default();
    let own = TrunkTerms { session_expires_s: 600, ..usual };
    let off = TrunkTerms { timer: false, ..usual };
    let rows = [
        (usual, "Supported: timer\r\n", "1800;refresher=uac"),
        (own, "Supported: timer\r\n", "600;refresher=uac"),
        (own, "Supported: timer\r\nSession-Expires: 900\r\n", "900;refresher=uac"),
        (off, "Supported: timer\r\n", ""),
        (off, "Supported: timer\r\nSession-Expires: 900;refresher=uas\r\n", ""),
    ];
    for (terms, more, wanted) in rows {
        let mut wire = wire(terms);
        let mut call = Call::new("a");
        call.more = more.into();
        wire.hear(CARRIER, call.invite(OFFER));
        let session = wire.invited().session;
        wire.said();
        wire.endpoint.answer(session, &sdp(), wire.now);
        wire.drain();
        let ok = wire.next_sent();
        assert_eq!(head(&ok, Name::SessionExpires), wanted, "{terms:?} {more}");
        assert_eq!(ok.lists(Name::Supported, "timer"), terms.timer);
        if !terms.timer {
            call.learn(&ok);
            call.more.clear();
            wire.hear(CARRIER, call.ack());
            wire.event();
            wire.run_for(std::time::Duration::from_secs(4 * 3_600));
            wire.quiet();
        }
    }
    // Theirs, though we said nothing of a timer.
    let mut wire = wire(off);
    let (_, invite) = wire.calling();
    let text = String::from_utf8(answer(&invite, 200, "t1", OFFER)).unwrap();
    let lines = "Session-Expires: 90;refresher=uas\r\nContact:";
    wire.hear(CARRIER, text.replacen("Contact:", lines, 1));
    wire.event();
    assert_eq!(wire.said(), ["ACK"]);
    wire.run_for(std::time::Duration::from_secs(3_600));
    wire.quiet();
}
