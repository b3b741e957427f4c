//! What goes along with calls: Reason, Session-ID, identity and privacy, History-Info, Diversion,
//! User-to-User, Referred-By.

use hotline::id::{CallId, Dice};
use hotline::sip::event::*;
use hotline::sip::{Along, Clearing, Forwarded, Message, Name};

use crate::wire::*;

const THEIRS: &str = "ab30317f1a784dc48ff824d0d3715d86";
const NULL: &str = "00000000000000000000000000000000";

/// A house with a trunk inside the trust domain and one outside, that both want to know it all.
fn house() -> Wire {
    let mut config = config();
    let all = Forwarding { history_info: true, diversion: true };
    let outside = TrunkConfig {
        hops: vec![hop("192.0.4.10:5060")],
        forwarding: all,
        ..TrunkConfig::named("outside".into())
    };
    config.trunks[0].forwarding = all;
    config.trunks.push(outside);
    Wire::with(config)
}

fn named<'m>(message: &'m Message, name: &str) -> Vec<&'m str> {
    let lines = message.lines().filter(|(_, label, _)| label.eq_ignore_ascii_case(name.as_bytes()));
    lines.map(|(.., value)| std::str::from_utf8(value).unwrap()).collect()
}

fn session_id(message: &Message) -> (String, String) {
    let values = named(message, "Session-ID");
    assert_eq!(values.len(), 1, "{message:?}");
    let (local, remote) = values[0].split_once(";remote=").expect("RFC 7989 §5");
    (local.to_owned(), remote.to_owned())
}

/// A call that comes in with these lines.
fn invited(wire: &mut Wire, lines: &str) -> Invited {
    let call = Call { more: lines.into(), ..Call::new("in") };
    wire.hear(CARRIER, call.invite(OFFER));
    wire.sent.clear();
    wire.invited()
}

fn forwarded(wire: &mut Wire, trunk: &str, from_user: &str, along: Along) -> Message {
    let target = by_trunk(trunk, "4420000", from_user);
    wire.endpoint.invite(Invite { target, along, ..to_carrier() }, wire.now).unwrap();
    wire.drain();
    wire.next_sent()
}

fn to_taxes(invited: &Invited) -> Along {
    let forwarded = Some(Forwarded { line: "12366".into(), cause: 302 });
    Along { carried: invited.carried.clone(), beside: Some(invited.session), forwarded, ..Along::default() }
}

/// RFC 3325 §5–7 and RFC 3323 §4: inside and outside of the trust domain.
#[test]
fn what_a_caller_withholds_goes_to_trusted_trunks_only_row_by_row() {
    let secret = "P-Asserted-Identity: <tel:13911112222>\r\nPrivacy: id\r\nDiversion: <sip:13933334444@h>;reason=no-answer\r\n\
                  History-Info: <sip:13933334444@h>;index=1\r\nUser-to-User: 3133393131313132323232;encoding=hex\r\n";
    let open = "P-Asserted-Identity: <tel:13911112222>\r\n";
    let rows = [
        ("carrier", open, "13911112222", vec!["<sip:13911112222@hotline.example>"], false),
        ("carrier", secret, "", vec!["<sip:13911112222@hotline.example>"], true),
        ("outside", open, "13911112222", vec![], false),
        ("outside", secret, "", vec![], true),
    ];
    for (trunk, lines, caller, asserted, private) in rows {
        let mut wire = house();
        let came = invited(&mut wire, lines);
        assert_eq!(came.caller, caller, "{trunk}");
        let invite = forwarded(&mut wire, trunk, caller, to_taxes(&came));
        assert_eq!(named(&invite, "P-Asserted-Identity"), asserted, "{trunk} {lines}");
        assert_eq!(named(&invite, "Privacy"), if private { vec!["id"] } else { vec![] }, "{trunk}");
        let anonymous = head(&invite, Name::From).starts_with("<sip:anonymous@anonymous.invalid>");
        assert_eq!(anonymous, private, "{trunk}");
        if trunk == "outside" && private {
            let text = String::from_utf8(invite.raw().to_vec()).unwrap();
            for leak in ["13911112222", "13800000000", "13933334444", "3133393131"] {
                assert!(!text.contains(leak), "{leak} in {text}");
            }
        }
    }
}

#[test]
fn an_identity_from_outside_of_the_trust_domain_is_not_believed() {
    let mut config = config();
    config.trunks[0].trust_identity = false;
    let mut wire = Wire::with(config);
    let came = invited(&mut wire, "P-Asserted-Identity: <tel:110>\r\nPrivacy: id\r\n");
    assert_eq!(came.carried.map(|carried| carried.withheld.clone()), Some(None));
    let mut wire = Wire::new();
    let came = invited(&mut wire, "P-Asserted-Identity: <tel:110>\r\nPrivacy: id\r\n");
    assert_eq!(came.carried.and_then(|carried| carried.withheld.clone()).as_deref(), Some("110"));
    let mut wire = Wire::new();
    assert_eq!(invited(&mut wire, "").carried, None, "an ordinary call carries nothing");
}

/// RFC 7044 §10.3 and RFC 5806 §4.
#[test]
fn a_forwarded_call_says_what_was_dialled_row_by_row() {
    let target = "<sip:4420000@192.0.2.10:5060;cause=302>";
    let ours = "<sip:12366@hotline.example>";
    let diverted = format!("{ours};reason=unconditional;counter=1;privacy=off");
    let rows = [
        ("", vec![format!("{ours};index=1"), format!("{target};index=1.1;mp=1")], vec![diverted.clone()]),
        (
            "History-Info: <sip:12366@h>;index=1.1, <sip:4000@h?Reason=SIP%3Bcause%3D302>;index=1\r\n",
            vec![
                "<sip:4000@h?Reason=SIP%3Bcause%3D302>;index=1".into(),
                "<sip:12366@h>;index=1.1".into(),
                format!("{target};index=1.1.1;mp=1.1"),
            ],
            vec![diverted.clone()],
        ),
        (
            "History-Info: <sip:4000@h>;index=1\r\nDiversion: <sip:4000@h>;reason=user-busy;counter=1\r\n",
            vec![
                "<sip:4000@h>;index=1".into(),
                format!("{ours};index=1.1"),
                format!("{target};index=1.1.1;mp=1.1"),
            ],
            vec![diverted.clone(), "<sip:4000@h>;reason=user-busy;counter=1".into()],
        ),
    ];
    for (lines, history, diversion) in rows {
        let mut wire = house();
        let came = invited(&mut wire, lines);
        let invite = forwarded(&mut wire, "carrier", "13800000000", to_taxes(&came));
        assert_eq!(named(&invite, "History-Info"), history, "{lines}");
        assert_eq!(named(&invite, "Diversion"), diversion, "{lines}");
    }
    // Outside of the trust domain, an entry that asks for privacy is left out.
    let lines = "History-Info: <sip:4000@h?Privacy=history>;index=1, <sip:12366@h?Privacy=none>;index=1.1\r\n\
                 Diversion: <sip:12366@h>;privacy=\"off\", <sip:4000@h>;privacy=full\r\n";
    for (trunk, shown) in [("carrier", true), ("outside", false)] {
        let mut wire = house();
        let came = invited(&mut wire, lines);
        let invite = forwarded(&mut wire, trunk, "13800000000", to_taxes(&came));
        let text = String::from_utf8(invite.raw().to_vec()).unwrap();
        assert_eq!(text.matches("sip:4000@h").count(), if shown { 2 } else { 0 }, "{text}");
        assert_eq!(text.matches("sip:12366@h").count(), 3, "{text}");
    }
    // A trunk that did not ask for them gets none; what is passed along is bounded.
    let mut wire = Wire::new();
    let came = invited(&mut wire, "Diversion: <sip:4000@h>;reason=user-busy\r\n");
    let invite = forwarded(&mut wire, "carrier", "13800000000", to_taxes(&came));
    assert!(named(&invite, "Diversion").is_empty() && named(&invite, "History-Info").is_empty());
    let mut wire = house();
    let many = "Diversion: <sip:4000@h>;reason=user-busy\r\n".repeat(100);
    let came = invited(&mut wire, &format!("{many}Diversion: <sip:{}@h>\r\n", "9".repeat(600)));
    let invite = forwarded(&mut wire, "carrier", "13800000000", to_taxes(&came));
    assert_eq!(named(&invite, "Diversion").len(), 17);
}

#[test]
fn what_is_written_of_a_number_cannot_break_out_of_its_place() {
    let mut wire = house();
    let came = invited(&mut wire, "");
    let line = "12366>;x\r\nEvil: 1".into();
    let forwarding = Along { forwarded: Some(Forwarded { line, cause: 480 }), ..to_taxes(&came) };
    let invite = forwarded(&mut wire, "carrier", "138\r\nEvil: 1", forwarding);
    assert!(named(&invite, "Evil").is_empty());
    assert!(named(&invite, "Diversion")[0].starts_with("<sip:12366%3E%3Bx%0D%0AEvil%3A%201@"), "{invite:?}");
    assert!(named(&invite, "Diversion")[0].contains(";reason=deflection;"), "{invite:?}");
}

/// RFC 7433 §4.1.
#[test]
fn our_call_and_the_callers_own_words_go_along_as_user_to_user() {
    let mut wire = house();
    let own = "56a390f3d2b7310023;encoding=hex;purpose=isdn-uui;content=isdn-uui";
    let third = "User-to-User: 03;encoding=hex\r\n";
    let long = format!("User-to-User: {};encoding=hex\r\n", "00".repeat(600));
    let came =
        invited(&mut wire, &format!("{long}User-to-User: {own}\r\nuser-to-user: 02;encoding=hex\r\n{third}"));
    let call = CallId::draw(1_630_458_000_000, &mut Dice::seeded(1));
    let along = Along { call: Some(call), ..to_taxes(&came) };
    let ours =
        format!("{};encoding=hex;purpose=hotline-call;content=uuid", call.to_string().replace('-', ""));
    let invite = forwarded(&mut wire, "carrier", "13800000000", along.clone());
    assert_eq!(named(&invite, "User-to-User"), [own, "02;encoding=hex", &ours]);
    let referred_by = Some("<sip:1001@hotline.example>\r\nEvil: 1".to_owned());
    let invite = forwarded(&mut wire, "outside", "", Along { referred_by, ..along });
    assert_eq!(named(&invite, "User-to-User"), [&*ours], "a caller who is withheld says nothing outside");
    assert_eq!(named(&invite, "Referred-By"), ["<sip:1001@hotline.example>  Evil: 1"]);
}

/// RFC 7989: null UUID, our own, theirs, and the far end's on the other leg.
#[test]
fn both_legs_of_a_call_are_known_by_the_uuids_of_their_ends() {
    let mut wire = Wire::new();
    let mut call = Call { more: format!("Session-ID: {THEIRS};remote={NULL}\r\n"), ..Call::new("in") };
    wire.hear(CARRIER, call.invite(OFFER));
    let came = wire.invited();
    let trying = wire.next_sent();
    let (ours, remote) = session_id(&trying);
    assert_eq!(remote, THEIRS);
    assert_ne!(ours, NULL);
    assert_eq!(&ours[12..13], "4", "RFC 4122 §4.4: {ours}");
    wire.endpoint.progress(came.session, 180, None, wire.now);
    wire.drain();
    assert_eq!(session_id(&wire.next_sent()), (ours.clone(), THEIRS.into()));
    let along = Along { beside: Some(came.session), ..Along::default() };
    let callee = wire.endpoint.invite(Invite { along, ..to_carrier() }, wire.now).unwrap();
    wire.drain();
    let invite = wire.next_sent();
    assert_eq!(session_id(&invite), (THEIRS.into(), NULL.into()), "whom the callee really talks with");
    let far = "47755a9de7794ba387653f2099600ef2";
    let ok = String::from_utf8(answer(&invite, 200, "t1", OFFER)).unwrap();
    wire.hear(
        CARRIER,
        ok.replace("\r\nContact", &format!("\r\nSession-ID: {far};remote={THEIRS}\r\nContact")),
    );
    assert_eq!(session_id(&wire.next_sent()), (THEIRS.into(), far.into()), "the ACK");
    wire.endpoint.join(came.session, callee);
    wire.endpoint.answer(came.session, &sdp(), wire.now);
    wire.drain();
    let ok = wire.next_sent();
    assert_eq!(session_id(&ok), (far.into(), THEIRS.into()));
    call.learn(&ok);
    wire.hear(CARRIER, call.ack());
    // Kept in each further message, and learnt anew where it changes (RFC 7989 §9).
    let moved = "0123456789abcdef0123456789abcdef";
    call.more = format!("Session-ID: {moved};remote={far}\r\n");
    wire.hear(CARRIER, call.request("INVITE", HOLD));
    wire.sent.clear();
    wire.endpoint.answer_offer(came.session, &sdp(), wire.now);
    wire.drain();
    assert_eq!(session_id(&wire.next_sent()), (far.into(), moved.into()));
    wire.hear(CARRIER, call.ack());
    wire.endpoint.hang_up(came.session, None, wire.now);
    wire.endpoint.hang_up(callee, None, wire.now);
    wire.drain();
    assert_eq!(session_id(&wire.next_sent()), (far.into(), moved.into()));
    assert_eq!(session_id(&wire.next_sent()), (THEIRS.into(), far.into()));
}

/// RFC 7989 §7, RFC 3261 §16.3: who comes round, and who has got somewhere.
#[test]
fn a_caller_sent_back_to_us_is_known_by_his_uuid_until_somebody_answers_row_by_row() {
    let other = "0123456789abcdef0123456789abcdef";
    let says = |uuid: &str| format!("Session-ID: {uuid};remote={NULL}\r\n");
    // What the caller called itself, what the INVITE that comes back says, the answer there meanwhile.
    let rows = [
        (Some(THEIRS), Some(THEIRS), None, true),
        (Some(THEIRS), Some(THEIRS), Some(180), true),
        (Some(THEIRS), Some(THEIRS), Some(200), false),
        (Some(THEIRS), Some(THEIRS), Some(486), false),
        (Some(THEIRS), Some(other), None, false),
        (Some(THEIRS), None, None, false),
        (None, Some("ours"), None, true),
        (None, None, None, false),
    ];
    for (row, (first, second, status, round)) in rows.into_iter().enumerate() {
        let mut wire = house();
        let came = invited(&mut wire, &first.map_or(String::new(), says));
        let along = Along { beside: Some(came.session), ..Along::default() };
        let out = wire.endpoint.invite(Invite { along, ..to_carrier() }, wire.now).unwrap();
        wire.drain();
        let invite = wire.next_sent();
        if let Some(status) = status {
            wire.hear(CARRIER, answer(&invite, status, "t1", if status == 200 { OFFER } else { "" }));
            wire.event();
        }
        let ours = session_id(&invite).0;
        let second = second.map(|uuid| if uuid == "ours" { ours.as_str() } else { uuid });
        let back = Call { more: second.map_or(String::new(), says), ..Call::new("back") };
        wire.hear(CARRIER, back.invite(OFFER));
        let back = wire.invited();
        let rounds = |of| wire.endpoint.came_round(of).collect::<Vec<_>>();
        assert_eq!(rounds(back.session).contains(&out), round, "row {row}");
        assert!(!rounds(out).contains(&back.session), "row {row}: an INVITE of theirs is no way out");
    }
}

#[test]
fn a_refusal_without_memory_gives_the_uuid_back_and_nobody_else_gets_one() {
    let mut wire = Wire::new();
    let call = Call { more: format!("Session-ID: {THEIRS};remote={NULL}\r\n"), ..Call::new("in") };
    wire.hear(CARRIER, call.text("BYE", 1, "x", ""));
    assert_eq!(session_id(&wire.next_sent()), (NULL.into(), THEIRS.into()), "RFC 7989 §7");
    wire.hear(CARRIER, Call::new("in").text("BYE", 2, "y", ""));
    assert!(named(&wire.next_sent(), "Session-ID").is_empty());
}

/// RFC 3326, RFC 6432.
#[test]
fn why_a_session_ends_is_told_both_ways() {
    let given = |wire: &mut Wire| match wire.event() {
        Event::ReasonGiven { reason, .. } => (reason.q850, reason.sip, reason.text),
        other => panic!("{other:?}"),
    };
    let mut wire = Wire::new();
    let (_, mut call) = wire.talking();
    call.more = "Reason: Q.850;cause=31;text=\"Normal\", SIP;cause=200\r\n".into();
    wire.hear(CARRIER, call.request("BYE", ""));
    assert_eq!(given(&mut wire), (Some(31), Some(200), "Normal".into()));
    assert!(matches!(wire.event(), Event::Ended { cause: EndCause::Bye, .. }));

    let mut wire = Wire::new();
    let mut call = Call::new("c");
    wire.hear(CARRIER, call.invite(OFFER));
    wire.invited();
    call.more = "Reason: SIP;cause=487\r\n".into();
    wire.hear(CARRIER, call.cancel());
    assert_eq!(given(&mut wire), (None, Some(487), String::new()));
    assert!(matches!(wire.event(), Event::Cancelled { .. }));

    let mut wire = Wire::new();
    let (_, invite) = wire.calling();
    let busy = String::from_utf8(answer(&invite, 486, "t", "")).unwrap();
    wire.hear(CARRIER, busy.replace("\r\nContact", "\r\nReason: Q.850;cause=17\r\nContact"));
    assert_eq!(given(&mut wire), (Some(17), None, String::new()));
    assert!(matches!(wire.event(), Event::Refused { status: 486, .. }));

    for (status, reason) in [
        (404, "Q.850;cause=1;text=\"Unallocated number\""),
        (486, "Q.850;cause=17;text=\"User busy\""),
        (603, "Q.850;cause=21;text=\"Call rejected\""),
        (488, ""),
    ] {
        let mut wire = Wire::new();
        let session = invited(&mut wire, "").session;
        wire.endpoint.refuse(session, status, Some(3), wire.now);
        wire.drain();
        let refusal = wire.next_sent();
        assert_eq!((name(&refusal), &*head(&refusal, Name::Reason)), (status.to_string(), reason));
        assert_eq!(head(&refusal, Name::RetryAfter), "3");
    }
    let mut wire = Wire::new();
    let (session, invite) = wire.calling();
    wire.hear(CARRIER, answer(&invite, 180, "t", ""));
    wire.endpoint.hang_up(session, Some(Clearing::Elsewhere.value()), wire.now);
    wire.drain();
    let cancel = wire.next_sent();
    assert_eq!(head(&cancel, Name::Reason), "SIP;cause=200;text=\"Call completed elsewhere\"");
    assert_eq!(session_id(&cancel), session_id(&invite));
}
