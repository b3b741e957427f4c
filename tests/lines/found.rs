//! Where the dialled number is found when the Request-URI does not tell it all.

use hotline::routing::Dialled;
use hotline::routing::plan::DialledFrom::{self, Diversion, HistoryInfo, PCalledPartyId, RequestUri, To};
use hotline::routing::plan::Trunk;

use super::city::{now, plan};
use super::list::{EMERGENCY, LIST};

const EVERYWHERE: [DialledFrom; 5] = [RequestUri, HistoryInfo, Diversion, PCalledPartyId, To];

fn trunk(dialled_from: &[DialledFrom]) -> Trunk {
    Trunk { dialled_from: dialled_from.to_vec(), ..plan().trunks["carrier"].clone() }
}

fn message(places: &[(DialledFrom, &str)]) -> Dialled {
    Dialled(places.iter().map(|(place, value)| (*place, (*value).to_owned())).collect())
}

/// Number and place.
fn found(trunk: &Trunk, places: &[(DialledFrom, &str)]) -> Option<(String, DialledFrom)> {
    let message = message(places);
    plan().find_line(trunk, &message, now()).map(|found| (found.line.number.to_string(), found.from))
}

#[test]
fn the_shipped_carrier_is_asked_everywhere_and_the_other_trunks_only_for_the_request_uri() {
    for (name, trunk) in &plan().trunks {
        let expected: &[DialledFrom] = if name.as_str() == "carrier" { &EVERYWHERE } else { &[RequestUri] };
        assert_eq!(trunk.dialled_from, expected, "{name}");
        assert_eq!(trunk.sources.is_empty(), name.as_str() != "carrier", "{name}");
    }
}

#[test]
fn the_first_place_that_names_an_old_number_decides() {
    let carrier = &plan().trunks["carrier"];
    let (uri, old) = ("sip:12345@192.0.2.1", "sip:12336@carrier.example");
    let other = "tel:+86-393-12349";
    for (what, places, expected) in [
        ("12345 itself", vec![(RequestUri, uri), (To, uri)], Some(("12345", RequestUri))),
        (
            "forwarded, with its history",
            vec![(RequestUri, uri), (HistoryInfo, old), (To, uri)],
            Some(("12336", HistoryInfo)),
        ),
        (
            "forwarded, with a diversion",
            vec![(RequestUri, uri), (Diversion, old), (To, uri)],
            Some(("12336", Diversion)),
        ),
        (
            "forwarded, as the called party",
            vec![(RequestUri, uri), (PCalledPartyId, old), (To, uri)],
            Some(("12336", PCalledPartyId)),
        ),
        ("forwarded, only To kept", vec![(RequestUri, uri), (To, old)], Some(("12336", To))),
        (
            "history before diversion",
            vec![(RequestUri, uri), (Diversion, other), (HistoryInfo, old)],
            Some(("12336", HistoryInfo)),
        ),
        (
            "diversion before the called party",
            vec![(RequestUri, uri), (PCalledPartyId, other), (Diversion, old)],
            Some(("12336", Diversion)),
        ),
        (
            "the called party before To",
            vec![(RequestUri, uri), (To, other), (PCalledPartyId, old)],
            Some(("12336", PCalledPartyId)),
        ),
        (
            "an old number in the Request-URI",
            vec![(RequestUri, old), (HistoryInfo, other), (To, other)],
            Some(("12336", RequestUri)),
        ),
        (
            "a trunk group in the Request-URI",
            vec![(RequestUri, "sip:gw7@192.0.2.1"), (To, old)],
            Some(("12336", To)),
        ),
        ("nobody's number everywhere", vec![(RequestUri, "sip:95588@192.0.2.1"), (To, "tel:10086")], None),
        (
            "another city's number in the history",
            vec![(RequestUri, uri), (HistoryInfo, "tel:+86-371-12336")],
            Some(("12345", RequestUri)),
        ),
        (
            "a URI that is none",
            vec![(RequestUri, uri), (HistoryInfo, "sip:%GG@x"), (Diversion, old)],
            Some(("12336", Diversion)),
        ),
    ] {
        let expected = expected.map(|(number, from)| (number.to_owned(), from));
        assert_eq!(found(carrier, &places), expected, "{what}");
    }
}

#[test]
fn every_merged_and_dual_number_is_found_behind_a_carrier_that_forwards_it_to_12345() {
    let carrier = &plan().trunks["carrier"];
    for (_, _, number, ..) in LIST {
        let old = format!("<sip:+86393{number}@carrier.example;user=phone>;index=1");
        for place in [HistoryInfo, Diversion, PCalledPartyId, To] {
            let places = [(RequestUri, "sip:12345@192.0.2.1"), (place, old.as_str())];
            assert_eq!(found(carrier, &places), Some((number.to_owned(), place)), "{number} in {place:?}");
        }
    }
}

#[test]
fn of_several_forwardings_the_oldest_is_what_the_caller_dialled() {
    let carrier = &plan().trunks["carrier"];
    // RFC 7044 §10.1: entries in the order in which they were added.
    let history = [
        (RequestUri, "sip:12345@192.0.2.1"),
        (HistoryInfo, "<sip:12336@carrier.example>;index=1"),
        (HistoryInfo, "<sip:12349@carrier.example>;index=1.1"),
        (HistoryInfo, "<sip:12345@192.0.2.1>;index=1.1.1"),
    ];
    assert_eq!(found(carrier, &history), Some(("12336".to_owned(), HistoryInfo)));
    // RFC 5806 §4: each diverting party puts its own in front.
    let diversion = [
        (RequestUri, "sip:12345@192.0.2.1"),
        (Diversion, "<tel:12349>;reason=unconditional"),
        (Diversion, "<tel:12336>;reason=unconditional"),
    ];
    assert_eq!(found(carrier, &diversion), Some(("12336".to_owned(), Diversion)));
}

#[test]
fn a_trunk_is_believed_only_in_the_places_that_it_may_name() {
    let places = [
        (RequestUri, "sip:12345@192.0.2.1"),
        (HistoryInfo, "tel:12336"),
        (Diversion, "tel:12349"),
        (PCalledPartyId, "tel:12312"),
        (To, "tel:12301"),
    ];
    for (may, expected) in [
        (&[RequestUri][..], Some(("12345", RequestUri))),
        (&[RequestUri, To], Some(("12301", To))),
        (&[RequestUri, Diversion, HistoryInfo], Some(("12349", Diversion))),
        (&[To, RequestUri], Some(("12301", To))),
        (&[PCalledPartyId], Some(("12312", PCalledPartyId))),
        (&[], None),
    ] {
        let expected = expected.map(|(number, from)| (number.to_owned(), from));
        assert_eq!(found(&trunk(may), &places), expected, "{may:?}");
    }
}

#[test]
fn a_call_for_an_emergency_number_is_nobodys_line_whatever_else_it_says() {
    let carrier = &plan().trunks["carrier"];
    for number in EMERGENCY {
        for uri in [format!("sip:{number}@192.0.2.1"), format!("tel:+86-393-{number}")] {
            let places = [(RequestUri, uri.as_str()), (HistoryInfo, "tel:12336"), (To, "tel:12345")];
            assert_eq!(found(carrier, &places), None, "{uri}");
        }
        let uri = format!("tel:{number}");
        let places = [(RequestUri, "sip:12345@192.0.2.1"), (HistoryInfo, uri.as_str())];
        assert_eq!(found(carrier, &places), Some(("12345".to_owned(), RequestUri)), "{number} in the past");
    }
}
