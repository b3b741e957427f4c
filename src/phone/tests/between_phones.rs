use super::*;

/// Half a second of something unmistakable.
fn tune(seed: u64) -> Arc<[i16]> {
    let mut dice = Dice::seeded(seed);
    let mut level = 0i32;
    (0..4_000)
        .map(|_| {
            level = (level * 9 + (dice.below(16_000) as i32 - 8_000) * 3) / 10;
            level as i16
        })
        .collect()
}

fn hears(phone: &Phone, tune: &[i16]) -> f32 {
    listen::find(tune, phone.heard(), 0).map_or(0.0, |found| found.score)
}

fn answered(net: &Net) -> bool {
    net.state(0) == PhoneState::Talking && net.state(1) == PhoneState::Talking
}

fn connect(net: &mut Net) {
    net.dial(0, "1001");
    net.run_for(secs(3));
    assert!(answered(net));
}

#[test]
fn two_phones_talk_and_hear_one_another() {
    let mut net = Net::pair(1);
    net.dial(0, "1001");
    net.run_for(secs(1));
    assert_eq!((net.state(0), net.state(1)), (PhoneState::Calling, PhoneState::Ringing));
    net.run_for(secs(2));
    assert!(answered(&net));
    let (ours, theirs) = (tune(1), tune(2));
    net.order(0, |phone, now| phone.play(ours.clone(), false, now));
    net.order(1, |phone, now| phone.play(theirs.clone(), true, now));
    net.run_for(secs(6));
    assert!(hears(&net.phones[1], &ours) > 0.99 && hears(&net.phones[0], &theirs) > 0.99);
    assert!(hears(&net.phones[0], &ours) < 0.3, "nobody hears himself");
    net.order(0, |phone, now| phone.hang_up(now));
    net.run_for(secs(1));
    assert_eq!((net.state(0), net.state(1)), (PhoneState::Idle, PhoneState::Idle));
    for phone in 0..2 {
        let count = net.phones[phone].count();
        assert!((345..355).contains(&count.received), "{count:?}");
        assert_eq!(
            (count.lost, count.out_of_order, count.duplicates, count.wrong_payload_type),
            (0, 0, 0, 0)
        );
        assert_eq!((count.max_gap_ms, count.rtcp_sent, count.rtcp_received), (20, 1, 2));
        assert!(count.first_delay.unwrap() <= Duration::from_millis(40) && count.jitter < 1.0, "{count:?}");
    }
    let caller = [
        PhoneEvent::Ringing { status: 180, early_media: false },
        PhoneEvent::Answered,
        PhoneEvent::SoundPlayed,
        PhoneEvent::Ended { by: Side::Us, status: None },
        PhoneEvent::HangUpAnswered { status: Some(200) },
    ];
    assert_eq!(net.told(0), caller);
    let called = net.told(1);
    let PhoneEvent::IncomingCall { from, to, headers } = &called[0] else { panic!("{called:?}") };
    assert!(
        from.starts_with("<sip:wang@city.example>;tag=") && to == "<sip:1001@city.example>",
        "{from} {to}"
    );
    assert!(headers.contains(&(":uri".into(), "sip:1001@city.example".into())), "{headers:?}");
    assert_eq!(called[1..], [PhoneEvent::Answered, PhoneEvent::Ended { by: Side::Them, status: None }]);
}

#[test]
fn on_a_bad_line_calls_still_stand_and_end() {
    for seed in 0..40 {
        let mut net = Net::pair(seed);
        net.lossy = 15;
        net.dial(0, "1001");
        net.run_for(secs(12));
        assert!(answered(&net), "seed {seed}");
        net.order(0, |phone, now| phone.press("12345#", now));
        net.order(1, |phone, now| phone.press("9", now));
        net.run_for(secs(3));
        net.order(1, |phone, now| phone.hang_up(now));
        net.run_for(secs(40));
        assert_eq!((net.state(0), net.state(1)), (PhoneState::Idle, PhoneState::Idle), "seed {seed}");
        let count = net.phones[0].count();
        let share = count.lost as f64 / (count.lost + count.received) as f64;
        assert!((0.08..0.23).contains(&share), "seed {seed}: {count:?}");
        let digits: String = net
            .told(1)
            .iter()
            .filter_map(|event| if let PhoneEvent::DigitHeard(digit) = event { Some(*digit) } else { None })
            .collect();
        assert_eq!(digits, "12345#", "seed {seed}: each once, in order");
        assert!(net.told(0).contains(&PhoneEvent::DigitHeard('9')), "seed {seed}");
        net.run_for(secs(60));
        assert!(net.phones.iter().all(|phone| phone.poll_timeout().is_none()), "seed {seed}: all is quiet");
    }
}

#[test]
fn a_phone_that_is_not_answered_is_cancelled() {
    let mut net = Net::pair(3);
    net.set(1, |config| config.answers = Answers::Never);
    net.dial(0, "1001");
    net.run_for(secs(30));
    assert_eq!((net.state(0), net.state(1)), (PhoneState::Calling, PhoneState::Ringing));
    net.order(0, |phone, now| phone.hang_up(now));
    net.run_for(secs(1));
    assert_eq!(net.told(0).last(), Some(&PhoneEvent::Ended { by: Side::Us, status: Some(487) }));
    assert_eq!(net.told(1).last(), Some(&PhoneEvent::Ended { by: Side::Them, status: Some(487) }));
    assert_eq!((net.state(0), net.state(1)), (PhoneState::Idle, PhoneState::Idle));
}

#[test]
fn refusals_reach_the_caller() {
    for (answers, status) in [(Answers::Busy, 486), (Answers::Reject(603), 603), (Answers::Reject(200), 300)]
    {
        let mut net = Net::pair(4);
        net.set(1, |config| config.answers = answers);
        net.dial(0, "1001");
        net.run_for(secs(1));
        assert_eq!(net.told(0), [PhoneEvent::Refused { status, retry_after_s: None }]);
        assert_eq!(net.told(1).last(), Some(&PhoneEvent::Ended { by: Side::Us, status: Some(status) }));
    }
    let mut net = Net::pair(4);
    net.set(0, |config| config.codecs = vec![Codec::Pcmu]);
    net.set(1, |config| config.codecs = vec![Codec::Pcma]);
    net.dial(0, "1001");
    net.run_for(secs(1));
    assert_eq!(net.told(0), [PhoneEvent::Refused { status: 488, retry_after_s: None }]);
    assert_eq!(net.told(1), [], "a call without a common codec does not ring");
}

#[test]
fn by_hand_a_call_is_answered_or_refused_when_the_user_says_so() {
    for answer in [true, false] {
        let mut net = Net::pair(5);
        net.set(1, |config| config.answers = Answers::Manual);
        net.dial(0, "1001");
        net.run_for(secs(9));
        assert_eq!(net.state(1), PhoneState::Ringing);
        net.order(1, |phone, now| if answer { phone.answer(now) } else { phone.reject(480, now) });
        net.run_for(secs(1));
        assert_eq!(answered(&net), answer);
        assert_eq!(net.told(0).contains(&PhoneEvent::Refused { status: 480, retry_after_s: None }), !answer);
    }
}

#[test]
fn who_talks_or_rests_is_busy_for_a_third() {
    let mut net = Net::pair(6);
    net.set(1, |config| {
        config.answers = Answers::After(Duration::ZERO);
        config.rest = secs(10);
    });
    let third = net.plug("li", "192.0.2.11:5060".parse().unwrap(), |_| {});
    connect(&mut net);
    net.dial(third, "1001");
    net.run_for(secs(1));
    net.order(0, |phone, now| phone.hang_up(now));
    net.run_for(secs(8));
    net.dial(third, "1001");
    net.run_for(secs(3));
    let refused = PhoneEvent::Refused { status: 486, retry_after_s: None };
    assert_eq!(net.told(third), [refused.clone(), refused]);
    net.dial(third, "1001");
    net.run_for(secs(1));
    assert_eq!(net.state(third), PhoneState::Talking);
}

#[test]
fn an_offer_may_come_late() {
    let mut net = Net::pair(7);
    let dial = Dial { late_offer: true, ..Dial::to("1001") };
    net.order(0, |phone, now| phone.dial(dial, now)).unwrap();
    net.run_for(secs(3));
    assert!(answered(&net));
    let (ours, theirs) = (tune(1), tune(2));
    net.order(0, |phone, now| phone.play(ours.clone(), true, now));
    net.order(1, |phone, now| phone.play(theirs.clone(), true, now));
    net.run_for(secs(2));
    assert!(hears(&net.phones[1], &ours) > 0.99 && hears(&net.phones[0], &theirs) > 0.99);
}

#[test]
fn hold_stops_one_way_and_resume_starts_it_again() {
    let mut net = Net::pair(8);
    connect(&mut net);
    net.order(0, |phone, now| phone.hold(now));
    net.run_for(secs(1));
    assert_eq!(net.told(1).last(), Some(&PhoneEvent::HeldByThem { on: true }));
    let (kept, held) = (net.phones[1].count().received, net.phones[0].count().received);
    net.run_for(secs(5));
    assert_eq!(net.phones[0].count().received - held, 0, "the held side is quiet");
    assert!(net.phones[1].count().received - kept > 240, "the holding side sends on");
    net.order(0, |phone, now| phone.resume(now));
    net.run_for(secs(1));
    assert_eq!(net.told(1).last(), Some(&PhoneEvent::HeldByThem { on: false }));
    let before = net.phones[0].count().received;
    net.run_for(secs(5));
    assert!((245..255).contains(&(net.phones[0].count().received - before)), "no burst, no hole");
    assert_eq!(
        net.told(0).iter().filter(|event| **event == PhoneEvent::Renegotiated { status: Some(200) }).count(),
        2
    );
    assert!(answered(&net));
}

#[test]
fn two_re_invites_at_once_give_way_to_one_another() {
    let mut net = Net::pair(9);
    connect(&mut net);
    net.order(0, |phone, now| phone.hold(now));
    net.order(1, |phone, now| phone.hold(now));
    net.run_for(secs(20));
    for phone in 0..2 {
        assert!(net.told(phone).contains(&PhoneEvent::Renegotiated { status: Some(200) }), "phone {phone}");
    }
    net.order(0, |phone, now| phone.resume(now));
    net.order(1, |phone, now| phone.resume(now));
    net.run_for(secs(20));
    let before = [0, 1].map(|phone: usize| net.phones[phone].count().received);
    net.run_for(secs(1));
    assert!([0, 1].iter().all(|phone| net.phones[*phone].count().received > before[*phone] + 40));
}

#[test]
fn both_may_hang_up_at_once() {
    let mut net = Net::pair(10);
    connect(&mut net);
    net.order(0, |phone, now| phone.hang_up(now));
    net.order(1, |phone, now| phone.hang_up(now));
    net.run_for(secs(2));
    for phone in 0..2 {
        assert_eq!(net.told(phone).last(), Some(&PhoneEvent::HangUpAnswered { status: Some(200) }));
    }
}

#[test]
fn a_talk_ends_by_itself_and_the_next_call_is_taken() {
    let mut net = Net::pair(11);
    net.set(1, |config| config.hang_up_after = Some(secs(5)));
    for _ in 0..3 {
        connect(&mut net);
        net.run_for(secs(5));
        assert_eq!((net.state(0), net.state(1)), (PhoneState::Idle, PhoneState::Idle));
    }
}

#[test]
fn a_vanished_phone_answers_nothing() {
    let mut net = Net::pair(12);
    connect(&mut net);
    net.phones[1].vanish();
    assert_eq!(net.phones[1].poll_timeout(), None);
    net.run_for(secs(5));
    net.order(0, |phone, now| phone.hang_up(now));
    net.run_for(secs(40));
    assert_eq!(net.told(0).last(), Some(&PhoneEvent::HangUpAnswered { status: None }));
    let began = net.mono;
    net.dial(0, "1001");
    net.run_for(secs(33));
    assert_eq!(net.told(0), [PhoneEvent::Ended { by: Side::Timeout, status: None }]);
    assert!(net.mono.since(began) >= secs(32));
}

#[test]
fn without_telephone_events_keys_are_heard_as_tones() {
    let mut net = Net::pair(13);
    net.set(1, |config| config.telephone_event = None);
    connect(&mut net);
    net.order(0, |phone, now| phone.press("5", now));
    net.run_for(secs(1));
    let heard = net.phones[1].heard();
    let loudest = |hz| {
        heard.windows(400).step_by(80).map(|window| listen::tone_level(window, hz)).fold(-200.0, f64::max)
    };
    assert!(loudest(770.0) > -20.0 && loudest(1336.0) > -20.0 && loudest(941.0) < -20.0);
    assert!(!net.told(1).contains(&PhoneEvent::DigitHeard('5')));
}

#[test]
fn a_phone_without_silence_sends_only_what_it_plays() {
    let mut net = Net::pair(14);
    net.set(0, |config| config.send_silence = false);
    connect(&mut net);
    net.run_for(secs(5));
    assert_eq!(net.phones[0].count().sent, 0);
    net.order(0, |phone, now| phone.play(tune(1), false, now));
    net.run_for(secs(2));
    assert_eq!(net.phones[0].count().sent, 25);
    assert!(hears(&net.phones[1], &tune(1)) > 0.99);
}

#[test]
fn orders_that_do_not_fit_are_refused() {
    let mut net = Net::pair(15);
    let mut dial = |dial: Dial| net.order(0, |phone, now| phone.dial(dial, now));
    assert!(matches!(dial(Dial::to("tel:12345")), Err(PhoneError::BadUri { .. })));
    assert!(matches!(dial(Dial::to("1001>\r\nX: y")), Err(PhoneError::BadUri { .. })));
    let header = ("Subject".to_owned(), "a\r\nVia: b".to_owned());
    assert!(matches!(
        dial(Dial { headers: vec![header], ..Dial::to("1") }),
        Err(PhoneError::BadHeader { .. })
    ));
    assert_eq!(dial(Dial::to("1001")), Ok(()));
    assert_eq!(dial(Dial::to("1001")), Err(PhoneError::WrongState { state: PhoneState::Calling }));
}

#[test]
fn a_caller_can_speak_for_another_number_and_add_headers() {
    let mut net = Net::pair(16);
    let dial = Dial {
        from_user: Some("13800000000".into()),
        from_display: Some("Wang \"X\"".into()),
        headers: vec![("Diversion".into(), "<sip:96119@city.example>".into())],
        ..Dial::to("sip:12345@192.0.2.11:5060")
    };
    net.order(0, |phone, now| phone.dial(dial, now)).unwrap();
    net.run_for(secs(1));
    let told = net.told(1);
    let PhoneEvent::IncomingCall { from, headers, .. } = &told[0] else { panic!("{told:?}") };
    assert!(from.starts_with("\"Wang X\" <sip:13800000000@city.example>;tag="), "{from}");
    assert!(headers.contains(&("Diversion".into(), "<sip:96119@city.example>".into())), "{headers:?}");
    assert!(headers.contains(&(":uri".into(), "sip:12345@192.0.2.11:5060".into())), "{headers:?}");
}

#[test]
fn sound_from_a_strange_address_is_counted() {
    let mut net = Net::pair(17);
    connect(&mut net);
    let packet = rtp_rs::RtpPacketBuilder::new().payload_type(8).ssrc(5).payload(&[0; 160]).build().unwrap();
    net.post("192.0.2.66:6666".parse().unwrap(), "192.0.2.10:4000".parse().unwrap(), packet);
    net.run_for(secs(1));
    let count = net.phones[0].count();
    assert_eq!((count.strangers, count.ssrc_changes), (1, 2), "there and back");
    assert_eq!(net.phones[1].count().strangers, 0);
}
