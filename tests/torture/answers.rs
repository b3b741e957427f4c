//! What the endpoint answers to each message of RFC 4475, by the section that asks for it.

use hotline::sip::event::{Event, TurnedAway};
use hotline::sip::{Message, Name};

use crate::table::Table;
use crate::{TABLE, load};

const PEER: &str = "192.0.2.99:5999";

/// Section, message, statuses sent, and why it was turned away, if it was.
///
/// Sections 3.1.1 want their messages taken for what they mean: by the method and the dialog they
/// name, a valid one may well earn a refusal. An INVITE that is let in has its 100.
const ANSWERS: [(&str, &str, &[u16], Option<TurnedAway>); 49] = [
    ("3.1.1.1", "wsinv", &[481], Some(TurnedAway::OutOfDialog)), // Its To has a tag that we never gave.
    ("3.1.1.2", "intmeth", &[501], Some(TurnedAway::Unsupported)),
    ("3.1.1.3", "esc01", &[100], None),
    ("3.1.1.4", "escnull", &[401], None),
    ("3.1.1.5", "esc02", &[501], Some(TurnedAway::Unsupported)),
    ("3.1.1.6", "lwsdisp", &[200], None),
    ("3.1.1.7", "longreq", &[100], None),
    ("3.1.1.8", "dblreq", &[401], None), // One answer: what follows in the datagram is nothing.
    ("3.1.1.9", "semiuri", &[200], None),
    ("3.1.1.10", "transports", &[200], None),
    ("3.1.1.11", "mpart01", &[405], Some(TurnedAway::Unsupported)),
    ("3.1.1.12", "unreason", &[], Some(TurnedAway::OutOfDialog)), // Answers to what we never sent.
    ("3.1.1.13", "noreason", &[], Some(TurnedAway::OutOfDialog)),
    ("3.1.2.1", "badinv01", &[400], Some(TurnedAway::BadRequest)),
    ("3.1.2.2", "clerr", &[400], Some(TurnedAway::BadRequest)),
    ("3.1.2.3", "ncl", &[400], Some(TurnedAway::BadRequest)),
    ("3.1.2.4", "scalar02", &[400], Some(TurnedAway::BadRequest)),
    ("3.1.2.5", "scalarlg", &[], Some(TurnedAway::Malformed)),
    ("3.1.2.6", "quotbal", &[400], Some(TurnedAway::BadRequest)),
    ("3.1.2.7", "ltgtruri", &[400], Some(TurnedAway::BadRequest)),
    ("3.1.2.8", "lwsruri", &[400], Some(TurnedAway::BadRequest)),
    ("3.1.2.9", "lwsstart", &[400], Some(TurnedAway::BadRequest)),
    ("3.1.2.10", "trws", &[400], Some(TurnedAway::BadRequest)),
    ("3.1.2.11", "escruri", &[400], Some(TurnedAway::BadRequest)),
    ("3.1.2.12", "baddate", &[100], None), // May be taken: nothing hangs on its Date.
    ("3.1.2.13", "regbadct", &[400], Some(TurnedAway::BadRequest)),
    ("3.1.2.14", "badaspec", &[400], Some(TurnedAway::BadRequest)),
    ("3.1.2.15", "baddn", &[200], None), // May be taken: the name is plain to see.
    ("3.1.2.16", "badvers", &[505], Some(TurnedAway::Unsupported)),
    ("3.1.2.17", "mismatch01", &[400], Some(TurnedAway::BadRequest)),
    ("3.1.2.18", "mismatch02", &[400], Some(TurnedAway::BadRequest)), // Or 501.
    ("3.1.2.19", "bigcode", &[], Some(TurnedAway::Malformed)),
    ("3.2.1", "badbranch", &[400], Some(TurnedAway::BadRequest)),
    ("3.3.1", "insuf", &[400], Some(TurnedAway::BadRequest)),
    ("3.3.2", "unkscm", &[416], Some(TurnedAway::Unsupported)),
    ("3.3.3", "novelsc", &[416], Some(TurnedAway::Unsupported)),
    ("3.3.4", "unksm2", &[401], None), // RFC 3261 §10.3: who asks comes first, for whom then.
    ("3.3.5", "bext01", &[420], Some(TurnedAway::Unsupported)),
    ("3.3.6", "invut", &[415], Some(TurnedAway::Unsupported)),
    ("3.3.7", "regaut01", &[401], None),
    ("3.3.8", "multi01", &[400], Some(TurnedAway::BadRequest)),
    ("3.3.9", "mcl01", &[400], Some(TurnedAway::BadRequest)),
    ("3.3.10", "bcast", &[], Some(TurnedAway::Malformed)), // Two Via values: not for us.
    ("3.3.11", "zeromf", &[200], None),
    ("3.3.12", "cparam01", &[401], None),
    ("3.3.13", "cparam02", &[401], None),
    ("3.3.14", "regescrt", &[401], None),
    ("3.3.15", "sdp01", &[406], Some(TurnedAway::Unsupported)),
    ("3.4.1", "inv2543", &[100], None),
];

fn heard(name: &str) -> Table {
    let mut table = Table::new(&["watson", "user", "j.user", "null-\0-null"]);
    table.hear(PEER, load(name));
    table
}

fn answer(name: &str) -> Message {
    heard(name).sent.pop().unwrap_or_else(|| panic!("{name} got no answer")).1
}

#[test]
fn every_message_gets_the_answer_that_its_section_asks_for() {
    let mut wrong = Vec::new();
    for (section, name, statuses, why) in ANSWERS {
        let table = heard(name);
        let turned = table.events.iter().find_map(|event| match event {
            Event::TurnedAway { why, .. } => Some(*why),
            _ => None,
        });
        if table.statuses() != statuses || turned != why {
            wrong.push(format!("{section} {name}: {:?} {turned:?}", table.statuses()));
        }
        let invited = table.events.iter().any(|event| matches!(event, Event::Invited(_)));
        assert_eq!(invited, statuses == [100], "{name}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(ANSWERS.iter().map(|row| row.1).eq(TABLE.iter().map(|row| row.0)), "every message, in order");
}

#[test]
fn every_message_is_answered_the_same_when_it_comes_again() {
    for (section, name, statuses, _) in ANSWERS {
        let mut table = heard(name);
        table.hear(PEER, load(name));
        let tags: Vec<_> = table
            .sent
            .iter()
            .map(|(_, sent)| sent.to().ok().map(|to| to.tag().map(<[u8]>::to_vec)))
            .collect();
        assert_eq!(table.statuses(), statuses.repeat(2), "{section} {name}");
        assert!(tags.windows(2).all(|pair| pair[0] == pair[1]), "{section} {name}");
    }
}

#[test]
fn refusals_say_what_would_have_been_welcome() {
    let unsupported = answer("bext01");
    let listed: Vec<_> = unsupported.values(Name::Unsupported).collect();
    // RFC 4475 §3.3.5: what is asked of proxies is not for us.
    assert_eq!(listed, [&b"nothingSupportsThis"[..], b"nothingSupportsThisEither"]);
    assert!(answer("invut").lists(Name::Accept, "application/sdp"));
    for name in ["intmeth", "esc02", "mpart01"] {
        assert!(answer(name).lists(Name::Allow, "INVITE"), "{name}");
    }
    // RFC 4475 §3.3.7: an unknown scheme is passed over, ours is asked for.
    let challenge = answer("regaut01");
    assert!(challenge.headers(Name::WwwAuthenticate).all(|value| value.starts_with(b"Digest ")));
}

#[test]
fn registrations_bind_the_contact_as_it_was_written() {
    for (section, name, user, contact) in [
        ("3.3.12", "cparam01", &b"watson"[..], Some("sip:+19725552222@gw1.example.net")),
        ("3.3.13", "cparam02", b"watson", Some("sip:+19725552222@gw1.example.net;unknownparam")),
        ("3.3.14", "regescrt", b"user", Some("sip:user@example.com?Route=%3Csip:sip.example.com%3E")),
        ("3.1.1.4", "escnull", b"null-\0-null", Some("sip:%00@host5.example.com")),
        ("3.1.1.8", "dblreq", b"j.user", Some("sip:j.user@host.example.com")),
        ("3.3.7", "regaut01", b"j.user", None), // It asks what is bound.
    ] {
        let mut table = heard(name);
        let request = Message::parse(load(name)).unwrap();
        let answer = table.prove(PEER, &request, user);
        assert_eq!(answer.status(), Some(200), "{section} {name}");
        let bound: Vec<&str> = table.saved.iter().map(|binding| binding.contact.as_str()).collect();
        assert_eq!(bound, contact.into_iter().collect::<Vec<_>>(), "{section} {name}");
    }
    // RFC 4475 §3.3.4: nobody is served under a URI that is no SIP address.
    let mut table = heard("unksm2");
    let request = Message::parse(load("unksm2")).unwrap();
    assert_eq!(table.prove(PEER, &request, b"user").status(), Some(403));
    assert!(table.saved.is_empty());
}
