//! Telephones that are not alike: other packet times, other codecs, and codecs that change in mid-call.

use hotline::phone::{Codec, Phone, PhoneEvent};

use crate::city::{City, secs};
use crate::clerk::Who;
use crate::seed::in_a_city;

/// A telephone with packets of this length and these codecs in place of the one that is there.
fn is_built_otherwise(city: &mut City, who: Who, packet_ms: u16, codecs: &[Codec]) {
    let mut config = city.look_at(who).phone.config().clone();
    (config.packet_ms, config.codecs) = (packet_ms, codecs.to_vec());
    let dice = city.dice.split();
    city.telephone(who).phone = Phone::new(config, dice);
}

fn assert_both_hear(city: &City, what: &str, caller: Who, clerk: Who) {
    assert!(city.hears(caller, clerk), "{what}: the caller does not hear the clerk");
    assert!(city.hears(clerk, caller), "{what}: the clerk does not hear the caller");
}

#[test]
fn telephones_of_any_two_packet_times_and_codecs_talk_and_prompts_are_heard() {
    in_a_city(|city| {
        let desk = city.seat("1001").never_answers();
        let rows = [
            (30, &[Codec::Pcma][..], 20, &[Codec::Pcma][..]),
            (20, &[Codec::Pcma], 60, &[Codec::Pcma, Codec::Pcmu]),
            (10, &[Codec::Pcma], 40, &[Codec::Pcmu]),
            (60, &[Codec::Pcma], 10, &[Codec::Pcma]),
            (40, &[Codec::Pcma], 40, &[Codec::Pcma]),
        ];
        for (n, (caller_ms, caller_codecs, clerk_ms, clerk_codecs)) in rows.into_iter().enumerate() {
            let what = format!("{caller_ms} and {clerk_ms} ms");
            is_built_otherwise(city, desk, clerk_ms, clerk_codecs);
            city.telephone(desk).phone.set_answers(hotline::phone::Answers::After(secs(1)));
            city.signs_in(desk);
            let caller = city.phone(&format!("1380000000{n}")).waits();
            is_built_otherwise(city, caller, caller_ms, caller_codecs);
            city.dials(caller, "12345");
            assert!(city.run_until(secs(60), |city| city.talks_to(caller) == Some(desk)), "{what}");
            city.run_for(secs(6));
            assert!(city.heard(caller, "greeting"), "{what}");
            assert_both_hear(city, &what, caller, desk);
            city.hangs_up(caller);
            city.run_for(secs(1));
        }
    });
}

/// RFC 3264 §8.3: a re-INVITE with another codec; a relay becomes a bridge that decodes, and one again.
#[test]
fn a_codec_that_changes_in_mid_call_leaves_sound_both_ways() {
    in_a_city(|city| {
        let clerk = city.seat("1001").answers_after(secs(1));
        let caller = city.phone("13800000001").dials("12345");
        assert!(city.run_until(secs(30), |city| city.talks_to(caller) == Some(clerk)));
        city.run_for(secs(5));
        assert_both_hear(city, "at first", caller, clerk);
        let changes = [
            (clerk, Codec::Pcmu, "the clerk speaks the other law"),
            (caller, Codec::Pcmu, "both speak the other law"),
            (clerk, Codec::Pcma, "the clerk goes back"),
            (caller, Codec::Pcma, "both are back"),
        ];
        for (who, codec, what) in changes {
            city.order(who, |phone, now| phone.change_codecs(&[codec], now));
            city.run_for(secs(3));
            assert_both_hear(city, what, caller, clerk);
            let taken = |event: &PhoneEvent| *event == PhoneEvent::Renegotiated { status: Some(200) };
            assert!(city.saw(who, taken), "{what}");
        }
        for who in [caller, clerk] {
            assert_eq!(city.look_at(who).phone.count().wrong_payload_type, 0, "nothing unasked for");
        }
        city.hangs_up(caller);
    });
}
