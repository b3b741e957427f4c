//! What platforms of the hotline tell one another: Organization, and codes in History-Info.

use hotline::sip::event::*;
use hotline::sip::{Along, Forwarded, Message, Signature};

use crate::wire::*;

/// A house with the carrier, a county's platform, and a city's that is not trusted. None of them asks for History-Info.
fn house() -> Wire {
    house_where(&[])
}

/// Where these platforms do.
fn house_where(asking: &[&str]) -> Wire {
    let mut config = config();
    let platform = |name: &str, source: &str, trust_identity| TrunkConfig {
        sources: vec![(source.parse().unwrap(), 24)],
        hops: vec![hop(&format!("{source}:5060"))],
        trust_identity,
        platform: true,
        forwarding: Forwarding { history_info: asking.contains(&name), diversion: false },
        ..TrunkConfig::named(name.into())
    };
    config.trunks.push(platform("county", "192.0.5.10", true));
    config.trunks.push(platform("city", "192.0.6.10", false));
    Wire::with(config)
}

fn invited_by(wire: &mut Wire, peer: &str, lines: &str) -> Invited {
    let call = Call { more: lines.into(), ..Call::new("in") };
    wire.hear(peer, call.invite(OFFER));
    wire.sent.clear();
    wire.invited()
}

fn named<'m>(message: &'m Message, name: &str) -> Vec<&'m str> {
    let lines = message.lines().filter(|(_, label, _)| label.eq_ignore_ascii_case(name.as_bytes()));
    lines.map(|(.., value)| std::str::from_utf8(value).unwrap()).collect()
}

fn puyang() -> Option<Signature> {
    Some(Signature { org: "410900".into(), name: "濮阳市\r\nEvil: 1".into() })
}

/// The INVITE that goes on to `trunk` for a caller who came with these lines.
fn handed_on(lines: &str, trunk: &str, signature: Option<Signature>) -> Message {
    handed_on_in(house(), lines, trunk, signature)
}

fn handed_on_in(mut wire: Wire, lines: &str, trunk: &str, signature: Option<Signature>) -> Message {
    let came = invited_by(&mut wire, CARRIER, lines);
    let forwarded = Some(Forwarded { line: "12345".into(), cause: 480 });
    let carried = came.carried.clone();
    let along = Along { carried, beside: Some(came.session), forwarded, signature, ..Along::default() };
    let target = by_trunk(trunk, "039312345", "13800000000");
    wire.endpoint.invite(Invite { target, along, ..to_carrier() }, wire.now).unwrap();
    wire.drain();
    wire.next_sent()
}

/// RFC 3261 §20.25, RFC 7044 §5 and §10.3.
#[test]
fn platforms_alone_are_told_who_hands_a_call_over_row_by_row() {
    type Row<'a> = (&'a str, Option<Signature>, &'a [&'a str], usize);
    let rows: [Row<'_>; 5] = [
        ("county", puyang(), &["410900 濮阳市  Evil: 1"], 2),
        ("city", puyang(), &["410900 濮阳市  Evil: 1"], 2),
        ("carrier", puyang(), &[], 0),
        ("county", None, &[], 0),
        ("carrier", None, &[], 0),
    ];
    for (trunk, signature, organization, entries) in rows {
        let invite = handed_on("", trunk, signature);
        assert_eq!(named(&invite, "Organization"), organization, "{trunk}");
        let history = named(&invite, "History-Info");
        assert_eq!(history.len(), entries, "{trunk}: {history:?}");
        assert!(named(&invite, "Evil").is_empty());
        if let [ours, theirs] = history[..] {
            assert!(ours.starts_with("<sip:12345@") && ours.ends_with(";index=1"), "{ours}");
            assert!(theirs.ends_with(";cause=480>;index=1.1;mp=1;hotline-org=410900"), "{theirs}");
        }
    }
}

/// A platform hears of the platforms before it, whatever the caller withholds; nobody else does. Who else diverted the
/// call is told to those alone whose trunk has `forwarded_in`, and who are trusted or of whom nothing is withheld.
#[test]
fn the_codes_of_platforms_go_on_to_platforms_and_to_nobody_else() {
    let lines = "Privacy: id\r\nHistory-Info: <sip:13933334444@h>;index=1\r\n\
                 History-Info: <sip:12345@h;cause=302>;index=1.1;mp=1;hotline-org=410500\r\n";
    let open = lines.strip_prefix("Privacy: id\r\n").unwrap();
    for (lines, trunk, asks, private) in [
        (lines, "county", true, true),
        (lines, "county", false, false),
        (lines, "city", true, false),
        (lines, "city", false, false),
        (open, "county", false, false),
        (open, "city", true, true),
        (open, "city", false, false),
    ] {
        let asking = if asks { &[trunk][..] } else { &[] };
        let invite = handed_on_in(house_where(asking), lines, trunk, puyang());
        let history = named(&invite, "History-Info").join(", ");
        assert_eq!(history.matches("hotline-org=410500").count(), 1, "{history}");
        assert_eq!(history.matches("hotline-org=410900").count(), 1, "{history}");
        assert_eq!(history.contains("13933334444"), private, "{trunk}, asks: {asks}: {history}");
    }
    let mut config = config();
    config.trunks[0].forwarding = Forwarding { history_info: true, diversion: false };
    let mut wire = Wire::with(config);
    let came = invited_by(&mut wire, CARRIER, lines);
    let forwarded = Some(Forwarded { line: "12345".into(), cause: 480 });
    let along = Along { carried: came.carried.clone(), forwarded, ..Along::default() };
    wire.endpoint.invite(Invite { along, ..to_carrier() }, wire.now).unwrap();
    wire.drain();
    let invite = wire.next_sent();
    let history = named(&invite, "History-Info");
    assert!(history.len() >= 3 && history.iter().all(|entry| !entry.contains("hotline-org")), "{history:?}");
    assert!(history[1].contains("cause=302>;index=1.1;mp=1"), "the rest of it stands: {history:?}");
}

/// RFC 3261 §20.25: read of those who are trusted, and as it may stand on a screen.
#[test]
fn what_a_platform_says_of_itself_is_read_of_trusted_trunks_row_by_row() {
    let (county, city) = ("192.0.5.10:5060", "192.0.6.10:5060");
    let long = format!("Organization: 410928 {}\r\n", "县".repeat(300));
    let cut = format!("410928 {}", "县".repeat(121));
    type Row<'a> = (&'a str, &'a str, Option<&'a str>, Option<&'a str>);
    let rows: [Row<'_>; 8] = [
        (county, "Organization: 410928 濮阳县 12345\r\n", Some("410928 濮阳县 12345"), Some("410928")),
        (county, "organization:   410928100\r\n", Some("410928100"), Some("410928100")),
        (county, "Organization: Puyang county\r\n", Some("Puyang county"), None),
        (county, "Organization: 4109281000011 x\r\n", Some("4109281000011 x"), None),
        (county, "Organization: \u{7}410928\u{1b}[31m\r\n", Some("410928[31m"), None),
        (county, &long, Some(&cut), Some("410928")),
        (county, "Organization: \r\n", None, None),
        (city, "Organization: 410500 安阳市\r\n", None, None),
    ];
    for (peer, line, organization, org) in rows {
        let came = invited_by(&mut house(), peer, line).platforms;
        assert_eq!((came.organization.as_deref(), came.org.as_deref()), (organization, org), "{line}");
    }
}

/// RFC 7044 §5: hand-overs are counted by entry, each once, the oldest first.
#[test]
fn who_handed_a_call_on_is_read_of_history_info_row_by_row() {
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)]);
    let rows: [Row<'_>; 7] = [
        ("", &[]),
        ("History-Info: <sip:12345@h>;index=1\r\n", &[]),
        (
            "History-Info: <sip:12345@b>;index=1.1.1;mp=1.1;hotline-org=410500\r\n\
             History-Info: <sip:12345@a>;index=1, <sip:039312345@a>;index=1.1;mp=1;hotline-org=410900\r\n",
            &[("410900", "039312345"), ("410500", "12345")],
        ),
        (
            "History-Info: <sip:1@h>;index=1.1;mp=1;hotline-org=410900\r\n\
             History-Info: <sip:1@h>;index=1.1;mp=1;hotline-org=410900\r\n",
            &[("410900", "1")],
        ),
        ("History-Info: <sip:12345@h;cause=302>;index=1.1;mp=1\r\n", &[("", "12345")]),
        ("History-Info: <sip:12345@h>;index=1.1;mp=1;hotline-org=Puyang\r\n", &[("", "12345")]),
        ("History-Info: <sip:12345@h>;index=1.1;rc=1\r\nHistory-Info: <<<\r\n", &[]),
    ];
    for (lines, wanted) in rows {
        let came = invited_by(&mut house(), "192.0.5.10:5060", lines).platforms.handed_on;
        let found: Vec<(&str, &str)> =
            came.iter().map(|own| (own.by.as_deref().unwrap_or_default(), own.to.as_str())).collect();
        assert_eq!(found, wanted, "{lines}");
    }
    let many: String = (1..100)
        .map(|n| format!("History-Info: <sip:1@h>;index=1.{n};mp=1;hotline-org=410900\r\n"))
        .collect();
    let came = invited_by(&mut house(), "192.0.5.10:5060", &many).platforms.handed_on;
    assert_eq!(came.len(), 16, "what is read is bounded");
}

/// RFC 6432 §2 with RFC 3398 §8.2.6.1: 482 and 483 say in the telephone network's words what they are.
#[test]
fn a_refusal_for_a_loop_or_for_too_many_hops_has_its_reason() {
    for status in [482, 483] {
        let mut wire = house();
        let came = invited_by(&mut wire, "192.0.5.10:5060", "");
        wire.endpoint.refuse(came.session, status, None, wire.now);
        wire.drain();
        let refusal = wire.next_sent();
        assert_eq!(refusal.status(), Some(status));
        assert_eq!(named(&refusal, "Reason"), ["Q.850;cause=25;text=\"Exchange routing error\""]);
    }
}
