//! INVITE with Replaces (RFC 3891).

use hotline::sip::Name;
use hotline::sip::event::*;

use crate::wire::*;

/// Names the dialog of `call` from its peer's side.
fn replaces(call: &Call) -> String {
    let tag = |address: &str| address.split_once(";tag=").expect("a dialog").1.to_owned();
    format!("{};to-tag={};from-tag={}", call.id, tag(&call.to), tag(&call.from))
}

/// A new call that says so.
fn instead(lines: &str) -> Call {
    Call { more: lines.into(), ..Call::new("new") }
}

#[test]
fn the_dialogs_own_peer_takes_its_place() {
    let mut wire = Wire::new();
    let (old, mut call) = wire.talking();
    wire.endpoint.set_gate(Gate::Draining { retry_after_s: 5 });
    let new = instead(&format!("Require: replaces\r\nReplaces: {}\r\n", replaces(&call)));
    wire.hear(CARRIER, new.invite(OFFER));
    let invited = wire.invited();
    assert_eq!(invited.replaces, Some(old), "let in while draining: it belongs to a call under way");
    wire.endpoint.answer(invited.session, &sdp(), wire.now);
    wire.endpoint.hang_up(old, Some(hotline::sip::Clearing::Replaced.value()), wire.now);
    wire.drain();
    wire.next_sent();
    let (ok, bye) = (wire.next_sent(), wire.next_sent());
    assert_eq!([name(&ok), name(&bye)], ["200", "BYE"]);
    assert_eq!(head(&bye, Name::Reason), "SIP;cause=200;text=\"Replaced\"");
    assert_eq!(head(&bye, Name::CallId), call.id);
    // Once it is being left, nobody takes its place any more.
    let late = Call { id: "late".into(), ..instead(&format!("Replaces: {}\r\n", replaces(&call))) };
    wire.hear(CARRIER, late.invite(OFFER));
    assert_eq!(wire.said(), ["603"], "RFC 3891 §3: already terminated");
    wire.turned_away();
    wire.hear(CARRIER, answer(&bye, 200, "", ""));
    assert!(matches!(wire.event(), Event::Ended { session, cause: EndCause::HungUp } if session == old));
    call.request("BYE", "");
}

#[test]
fn who_may_replace_what_row_by_row() {
    let mut wire = Wire::new();
    let (_, call) = wire.talking();
    let named = replaces(&call);
    let rows = [
        (CARRIER, format!("Replaces: {named}\r\nReplaces: {named}\r\n"), "400"),
        (CARRIER, format!("Replaces: {named}\r\nJoin: {named}\r\n"), "400"),
        (CARRIER, "Replaces: a\r\n".into(), "400"),
        (CARRIER, format!("Replaces: {}\r\n", named.replace("from-tag=their", "from-tag=other")), "481"),
        (CARRIER, format!("Replaces: {}\r\n", named.replacen('a', "b", 1)), "481"),
        (CARRIER, "Replaces: a;to-tag=0123456789abcdef;from-tag=their\r\n".into(), "481"),
        (CARRIER, format!("Replaces: {named};early-only\r\n"), "486"),
        ("192.0.3.9:5060", format!("Replaces: {named}\r\n"), "403"),
        (STRANGER, format!("Replaces: {named}\r\n"), "403"),
        (CARRIER, format!("Require: replaces, fish\r\nReplaces: {named}\r\n"), "420"),
    ];
    for (number, (source, lines, status)) in rows.into_iter().enumerate() {
        let new = Call { id: format!("new{number}"), ..instead(&lines) };
        wire.hear(source, new.invite(OFFER));
        assert_eq!(wire.said(), [status], "{lines} from {source}");
        wire.turned_away();
        wire.quiet();
    }
    assert_eq!(wire.endpoint.counts().sessions, 1, "and the call goes on");
}

#[test]
fn early_dialogs_are_not_taken_from_us() {
    let mut wire = Wire::new();
    let mut call = Call::new("a");
    wire.hear(CARRIER, call.invite(OFFER));
    let session = wire.invited().session;
    wire.endpoint.progress(session, 180, None, wire.now);
    wire.drain();
    wire.next_sent();
    call.to = head(&wire.next_sent(), Name::To);
    wire.hear(CARRIER, instead(&format!("Replaces: {}\r\n", replaces(&call))).invite(OFFER));
    assert_eq!(wire.said(), ["481"], "RFC 3891 §3: early, and not begun by us");
    wire.turned_away();
    wire.quiet();
}

#[test]
fn a_refer_may_name_the_dialog_that_its_target_is() {
    let mut wire = Wire::new();
    let (old, call) = wire.talking();
    let mut second = Call::new("b");
    wire.hear(CARRIER, second.invite(OFFER));
    let session = wire.invited().session;
    wire.endpoint.answer(session, &sdp(), wire.now);
    wire.drain();
    wire.next_sent();
    second.learn(&wire.next_sent());
    wire.hear(CARRIER, second.ack());
    wire.event();
    let escaped = replaces(&call).replace(';', "%3B").replace('=', "%3D");
    second.more = format!("Refer-To: <sip:12345@192.0.2.1?Replaces={escaped}>\r\n");
    wire.hear(CARRIER, second.request("REFER", ""));
    let Event::Referred(referred) = wire.event() else { panic!("a REFER") };
    assert_eq!((referred.session, referred.replaces), (session, Some(old)));
    assert_eq!(referred.target, "sip:12345@192.0.2.1");
    // Whoever takes that dialog over knows what it is, and offers in it.
    let (listener, party, known) = wire.endpoint.dialog_of(old).expect("it stands");
    let other = wire.endpoint.dialog_of(session).expect("it stands, too");
    assert_eq!((listener, party), (0, Some(Origin::Trunk("carrier".into()))));
    assert_ne!(known, other.2);
    wire.endpoint.accept_refer(session, referred.refer, wire.now);
    wire.endpoint.reinvite(old, &sdp(), wire.now);
    wire.drain();
    assert_eq!(wire.said(), ["202", "NOTIFY", "INVITE"]);
}
