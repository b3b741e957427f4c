//! Ciphered legs against libsrtp2: what the house seals it opens, and the other way round.

use hotline::id::Dice;
use hotline::media::order::{Fact, LegConfig, Order, Srtp, SrtpSuite};
use hotline::media::{Channel, SocketKey};
use hotline::phone::Codec as Law;
use hotline::phone::listen::find;

use crate::libsrtp::{LibSrtp, SUITES, Session, master};
use crate::packets::{Block, Event, Report, Rtp, read_reports, write_sender_report};
use crate::stage::{EVENTS, HEARD, Peer, Stage, UNHEARD, assert_one_stream, level, prompt};

/// A telephone whose SRTP is libsrtp's.
struct Phone {
    peer: Peer,
    lib: LibSrtp,
    srtp: Srtp,
    sends: Session,
    hears: Session,
    mux: bool,
}

impl Phone {
    fn at(index: u16, law: Law, suite: SrtpSuite) -> Phone {
        let seed = 2 * index as u8 + 1;
        let srtp = Srtp { suite, ours: master(suite, seed), theirs: master(suite, seed + 100) };
        let mut lib = LibSrtp::start();
        let sends = lib.session(suite, &srtp.theirs, true);
        let hears = lib.session(suite, &srtp.ours, false);
        Phone { peer: Peer::at(index, law), lib, srtp, sends, hears, mux: false }
    }

    fn join(stage: &mut Stage, index: u16, law: Law, suite: SrtpSuite) -> Phone {
        let phone = Phone::at(index, law, suite);
        stage.order(Order::Open { leg: stage.leg(index), config: Box::new(phone.config()) });
        phone
    }

    fn config(&self) -> LegConfig {
        let mut config = self.peer.config();
        config.srtp = Some(Box::new(self.srtp.clone()));
        config.rtcp_mux = self.mux;
        if self.mux {
            config.remote_rtcp = config.remote;
        }
        config
    }

    fn seal(&mut self, packet: &Rtp) -> Vec<u8> {
        self.lib.protect(self.sends, &packet.write())
    }

    fn arrive(&self, stage: &mut Stage, sealed: &[u8]) {
        stage.arrive(SocketKey::rtp(self.peer.slot), self.peer.address, sealed);
    }

    fn send(&mut self, stage: &mut Stage, packet: &Rtp) {
        let sealed = self.seal(packet);
        self.arrive(stage, &sealed);
    }

    fn speak(&mut self, stage: &mut Stage) {
        let packet = self.peer.next();
        self.send(stage, &packet);
    }

    fn report(&mut self, stage: &mut Stage, report: &[u8]) -> Vec<u8> {
        let sealed = self.lib.protect_rtcp(self.sends, report);
        self.arrive_report(stage, &sealed);
        sealed
    }

    fn arrive_report(&self, stage: &mut Stage, sealed: &[u8]) {
        match self.mux {
            true => self.arrive(stage, sealed),
            false => self.peer.report(stage, sealed),
        }
    }

    /// All sound that has left for it, opened by libsrtp; that it is ciphered is checked.
    fn take(&mut self, stage: &mut Stage) -> Vec<Rtp> {
        let mut taken = Vec::new();
        stage.air.left.retain(|left| {
            let report = (192..=223).contains(&left.bytes[1]);
            let for_it =
                left.to == self.peer.address && left.from == SocketKey::rtp(self.peer.slot) && !report;
            if for_it {
                let plain = self.lib.unprotect(self.hears, &left.bytes).expect("libsrtp opens it");
                let tag = left.bytes.len() - plain.len();
                let wanted = match self.srtp.suite {
                    SrtpSuite::AesCm128HmacSha1_80 => 10,
                    SrtpSuite::AesCm128HmacSha1_32 => 4,
                    SrtpSuite::AeadAes128Gcm | SrtpSuite::AeadAes256Gcm => 16,
                };
                assert_eq!(tag, wanted, "{:?}", self.srtp.suite);
                assert_ne!(left.bytes[12..16], plain[12..16], "it was ciphered");
                taken.push(Rtp::read(&plain));
            }
            !for_it
        });
        taken
    }

    /// All reports that have left for it.
    fn take_reports(&mut self, stage: &mut Stage) -> Vec<Vec<Report>> {
        let (to, kind) = match self.mux {
            true => (self.peer.address, Channel::Rtp),
            false => (self.peer.config().remote_rtcp, Channel::Rtcp),
        };
        let mut taken = Vec::new();
        stage.air.left.retain(|left| {
            let report = (192..=223).contains(&left.bytes[1]);
            let for_it = report && left.to == to && left.from == SocketKey { slot: self.peer.slot, kind };
            if for_it {
                let plain = self.lib.unprotect_rtcp(self.hears, &left.bytes).expect("libsrtp opens it");
                taken.push(read_reports(&plain));
            }
            !for_it
        });
        taken
    }
}

/// So many frames of 20 ms in which all speak.
fn frames(stage: &mut Stage, count: usize, ciphered: &mut [&mut Phone], plain: &mut [&mut Peer]) {
    for _ in 0..count {
        ciphered.iter_mut().for_each(|phone| phone.speak(stage));
        stage.frames(1, plain);
    }
}

#[test]
fn prompts_digits_and_reports_reach_a_ciphered_telephone_by_every_suite() {
    let greeting = prompt("greeting");
    for (suite, mux) in SUITES.into_iter().flat_map(|suite| [(suite, false), (suite, true)]) {
        let mut stage = Stage::new(&[&greeting]);
        let mut phone = Phone::at(0, Law::Pcma, suite);
        phone.mux = mux;
        stage.order(Order::Open { leg: stage.leg(0), config: Box::new(phone.config()) });
        stage.play(0, &[0], true, 1);
        frames(&mut stage, 420, &mut [&mut phone], &mut []);
        stage.order(Order::SendDigits { leg: stage.leg(0), digits: "5".into() });
        frames(&mut stage, 20, &mut [&mut phone], &mut []);
        let packets = phone.take(&mut stage);
        assert_one_stream(&packets);
        assert!(packets[0].sequence < 0x8000, "a first packet that is lost costs no wrap");
        let heard = phone.peer.hears(&packets);
        let found = find(&greeting[..16_000], &heard, 0).expect("sound");
        assert!(found.score > 0.98 && found.at_sample < 200, "{suite:?}: {found:?}");
        let keys = packets.iter().filter(|packet| packet.payload_type == EVENTS.0);
        assert_eq!(keys.map(|packet| packet.payload[0]).collect::<Vec<_>>(), [5; 7]);
        let figures = stage.close(0);
        assert_eq!((figures.received, figures.refused, figures.lost), (440, 0, 0));
        let reports = phone.take_reports(&mut stage);
        assert!(reports.len() >= 2, "{suite:?} mux {mux}: {reports:?}");
        assert!(reports.iter().all(|report| matches!(report[0], Report::Sender { .. })));
        assert!(matches!(reports.last().unwrap()[..], [.., Report::Bye { .. }]), "the goodbye as well");
        assert!(stage.air.left.is_empty(), "and nothing else has left");
    }
}

#[test]
fn a_ciphered_and_a_plain_leg_hear_one_another_relayed_or_decoded() {
    for (suite, other) in SUITES.into_iter().flat_map(|suite| [(suite, Law::Pcma), (suite, Law::Pcmu)]) {
        let mut stage = Stage::new(&[]);
        let mut caller = Phone::join(&mut stage, 0, Law::Pcma, suite);
        let mut clerk = Peer::join(&mut stage, 1, other);
        stage.bridge(0, 1);
        (caller.peer.tone, clerk.tone) = (Some(700.0), Some(1_300.0));
        frames(&mut stage, 50, &mut [&mut caller], &mut [&mut clerk]);
        let to_caller = caller.take(&mut stage);
        let to_clerk = stage.take_for(&clerk);
        assert_one_stream(&to_caller);
        assert_one_stream(&to_clerk);
        for (who, sound, theirs, own) in [
            ("caller", caller.peer.hears(&to_caller), 1_300.0, 700.0),
            ("clerk", clerk.hears(&to_clerk), 700.0, 1_300.0),
        ] {
            assert!(sound.len() > 160 * 40, "{suite:?} {}: {who} {}", other.name(), sound.len());
            assert!(level(&sound, theirs) > HEARD && level(&sound, own) < UNHEARD, "{suite:?}: {who}");
        }
        assert_eq!(stage.close(0).refused + stage.close(1).refused, 0);
    }
}

#[test]
fn two_ciphered_legs_of_any_suites_are_relayed_with_other_keys_and_nothing_is_decoded() {
    for (a, b) in SUITES.into_iter().flat_map(|a| SUITES.map(|b| (a, b))) {
        let mut stage = Stage::new(&[]);
        let mut caller = Phone::join(&mut stage, 0, Law::Pcmu, a);
        let mut clerk = Phone::join(&mut stage, 1, Law::Pcmu, b);
        stage.bridge(0, 1);
        let mut dice = Dice::seeded(5);
        for from_caller in [true, false] {
            let mut said = Vec::new();
            for n in 0..20 {
                // Any bytes and lengths, up to the longest that a relay takes.
                let mut payload = vec![0; if n == 10 { 1_460 } else { [80, 160, 240][n % 3] }];
                dice.fill(&mut payload);
                let (from, packet) = match from_caller {
                    true => (&mut caller, payload),
                    false => (&mut clerk, payload),
                };
                let packet = from.peer.next_with(packet);
                from.send(&mut stage, &packet);
                said.push(packet.payload);
            }
            let heard = if from_caller { clerk.take(&mut stage) } else { caller.take(&mut stage) };
            assert_one_stream(&heard);
            let heard: Vec<_> = heard.into_iter().map(|packet| packet.payload).collect();
            assert!(heard == said, "{a:?} to {b:?}, byte for byte");
        }
    }
}

#[test]
fn rollover_counters_go_on_through_wraps_losses_and_reordering_on_both_sides_of_a_relay() {
    for suite in SUITES {
        let mut stage = Stage::new(&[]);
        let mut caller = Phone::join(&mut stage, 0, Law::Pcma, suite);
        let mut clerk = Phone::join(&mut stage, 1, Law::Pcma, suite);
        stage.bridge(0, 1);
        caller.peer.sequence = 65_500;
        let mut dice = Dice::seeded(9);
        let (mut sent, mut flight) = (0, Vec::new());
        // 5 % are lost, one in ten overtakes up to three others. In between come losses of 2,900
        // in a row, so that the house's own numbers wrap too.
        for n in 0..1_500 {
            if n % 25 == 24 {
                flight.drain(..).for_each(|sealed: Vec<u8>| caller.arrive(&mut stage, &sealed));
                caller.peer.sequence = caller.peer.sequence.wrapping_add(2_900);
            }
            let mut payload = vec![0; 160];
            dice.fill(&mut payload);
            payload[..4].copy_from_slice(&u32::to_be_bytes(n));
            let packet = caller.peer.next_with(payload);
            let sealed = caller.seal(&packet);
            if dice.below(20) != 0 {
                let behind =
                    if n > 9 && dice.below(10) == 0 { flight.len().saturating_sub(3) } else { flight.len() };
                flight.insert(behind, sealed);
                sent += 1;
            }
            if flight.len() > 4 {
                let sealed = flight.remove(0);
                caller.arrive(&mut stage, &sealed);
            }
            (0..4).for_each(|_| stage.tick());
        }
        flight.drain(..).for_each(|sealed| caller.arrive(&mut stage, &sealed));
        let heard = clerk.take(&mut stage);
        assert_eq!(heard.len(), sent, "{suite:?}: each that came went on");
        let wraps = heard.windows(2).filter(|pair| pair[0].sequence > 60_000 && pair[1].sequence < 5_000);
        assert!(wraps.count() >= 2, "{suite:?}: our own numbers wrapped");
        let figures = stage.close(0);
        assert_eq!((figures.received, figures.refused), (sent as u64, 0), "{suite:?}");
    }
}

#[test]
fn packets_lost_before_a_wrap_do_not_deafen_the_house() {
    for suite in SUITES {
        let mut stage = Stage::new(&[]);
        let mut caller = Phone::join(&mut stage, 0, Law::Pcma, suite);
        let clerk = Peer::join(&mut stage, 1, Law::Pcma);
        stage.bridge(0, 1);
        caller.peer.sequence = 65_530;
        for n in 0..40 {
            let packet = caller.peer.next();
            let sealed = caller.seal(&packet);
            if n >= 20 {
                caller.arrive(&mut stage, &sealed);
            }
        }
        assert_eq!(stage.take_for(&clerk).len(), 20, "{suite:?}: from behind the wrap on");
    }
}

#[test]
fn what_was_heard_before_or_was_altered_on_its_way_is_refused_silently() {
    for suite in SUITES {
        let mut stage = Stage::new(&[]);
        let mut caller = Phone::join(&mut stage, 0, Law::Pcma, suite);
        let clerk = Peer::join(&mut stage, 1, Law::Pcma);
        stage.bridge(0, 1);
        let said: Vec<_> = (0..10).map(|_| caller.peer.next()).collect();
        let heard: Vec<_> = said.iter().map(|packet| caller.seal(packet)).collect();
        heard.iter().for_each(|sealed| caller.arrive(&mut stage, sealed));
        assert_eq!(stage.take_for(&clerk).len(), 10);
        heard.iter().for_each(|sealed| caller.arrive(&mut stage, sealed));
        let mut refused = 10;
        // Every bit of one that was not heard yet, and every length that it may be cut to.
        let packet = caller.peer.next_with(vec![0x55; 40]);
        let sealed = caller.seal(&packet);
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            caller.arrive(&mut stage, &altered);
            refused += 1;
        }
        for length in 0..sealed.len() {
            caller.arrive(&mut stage, &sealed[..length]);
            refused += 1;
        }
        caller.arrive(&mut stage, &[&sealed[..], &[0]].concat());
        caller.arrive(&mut stage, &packet.write());
        caller.arrive(&mut stage, &vec![0x80; 2_000]);
        refused += 3;
        assert_eq!(stage.take_for(&clerk), [], "{suite:?}");
        caller.arrive(&mut stage, &sealed);
        assert_eq!(stage.take_for(&clerk).len(), 1, "the true one is heard all the same");
        // Another key is another house's.
        let other = caller.lib.session(suite, &master(suite, 77), true);
        let packet = caller.peer.next();
        let foreign = caller.lib.protect(other, &packet.write());
        caller.arrive(&mut stage, &foreign);
        let figures = stage.close(0);
        assert_eq!((figures.received, figures.refused), (11, refused + 1), "{suite:?}");
    }
}

#[test]
fn a_forger_at_the_callers_own_address_does_not_win_the_source() {
    let suite = SrtpSuite::AesCm128HmacSha1_80;
    let mut stage = Stage::new(&[]);
    let mut caller = Phone::join(&mut stage, 0, Law::Pcma, suite);
    let clerk = Peer::join(&mut stage, 1, Law::Pcma);
    stage.bridge(0, 1);
    let mut forger = Peer::at(0, Law::Pcma);
    forger.address.set_port(9_999);
    for _ in 0..20 {
        // Well formed, consistent, from the right host, and first; but without the key.
        let mut forged = forger.next().write();
        forged.extend([0; 10]);
        stage.arrive(SocketKey::rtp(forger.slot), forger.address, &forged);
    }
    let latched = |stage: &Stage| stage.facts.iter().any(|fact| matches!(fact, Fact::Latched { .. }));
    assert!(!latched(&stage) && stage.take_for(&clerk).is_empty());
    for _ in 0..10 {
        caller.speak(&mut stage);
    }
    assert!(latched(&stage));
    assert_eq!(stage.take_for(&clerk).len(), 10);
    let stranger = "198.51.100.9:4000".parse().unwrap();
    let packet = caller.peer.next();
    let sealed = caller.seal(&packet);
    stage.arrive(SocketKey::rtp(caller.peer.slot), stranger, &sealed);
    let told = stage.facts.iter().filter(|fact| matches!(fact, Fact::StrangerRefused { .. })).count();
    assert_eq!(told, 1, "with the key but from elsewhere");
    assert!(stage.take_for(&clerk).is_empty());
    assert_eq!(stage.close(0).refused, 21);
}

#[test]
fn ciphered_reports_are_believed_once_and_measure_the_round_trip() {
    for (suite, mux) in SUITES.into_iter().flat_map(|suite| [(suite, false), (suite, true)]) {
        let mut stage = Stage::new(&[&[500; 800]]);
        let mut caller = Phone::at(0, Law::Pcma, suite);
        caller.mux = mux;
        stage.order(Order::Open { leg: stage.leg(0), config: Box::new(caller.config()) });
        stage.play(0, &[0], true, 1);
        frames(&mut stage, 400, &mut [&mut caller], &mut []);
        let sound = caller.take(&mut stage);
        let at = stage.air.left.last().expect("a report within eight seconds").at;
        let compound = caller.take_reports(&mut stage).pop().unwrap();
        let Report::Sender { ssrc, ntp, .. } = compound[0] else { panic!("{compound:?}") };
        assert_eq!(ssrc, sound[0].ssrc);
        // It was kept for all the time since but 60 ms.
        let kept = stage.now().mono.since(at).saturating_sub(std::time::Duration::from_millis(60));
        let delay = (kept.as_nanos() * 65_536 / 1_000_000_000) as u32;
        let last_sender_report = (ntp >> 16) as u32;
        let block =
            Block { ssrc, fraction_lost: 0, lost: 0, highest: 0, jitter: 0, last_sender_report, delay };
        let report = write_sender_report(caller.peer.ssrc, 5 << 32, block);
        let sealed = caller.report(&mut stage, &report);
        assert_ne!(sealed[8..16], report[8..16], "it was ciphered");
        // Again, altered, and in the clear.
        caller.arrive_report(&mut stage, &sealed);
        let fresh = caller.lib.protect_rtcp(caller.sends, &report);
        for bit in 0..fresh.len() * 8 {
            let mut altered = fresh.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            // With rtcp-mux some bits make sound of it, which is refused as well.
            caller.arrive_report(&mut stage, &altered);
        }
        caller.arrive_report(&mut stage, &report);
        let figures = stage.close(0);
        assert_eq!(figures.refused, 2 + fresh.len() as u64 * 8, "{suite:?} mux {mux}");
        assert!((30_000..=61_000).contains(&figures.round_trip_us), "{}", figures.round_trip_us);
        assert_eq!(caller.take_reports(&mut stage).len(), 1, "the goodbye");
    }
}

#[test]
fn renegotiated_keys_begin_anew_and_the_old_ones_hold_until_the_new_are_heard() {
    for (before, after) in
        [(SUITES[0], SUITES[0]), (SUITES[0], SUITES[2]), (SUITES[2], SUITES[2]), (SUITES[3], SUITES[1])]
    {
        let mut stage = Stage::new(&[]);
        let mut caller = Phone::join(&mut stage, 0, Law::Pcma, before);
        let mut clerk = Peer::join(&mut stage, 1, Law::Pcma);
        stage.bridge(0, 1);
        caller.peer.sequence = 65_530;
        frames(&mut stage, 10, &mut [&mut caller], &mut [&mut clerk]);
        assert_eq!(stage.take_for(&clerk).len(), 10);
        let to_caller = caller.take(&mut stage);
        // A wrap has passed; then both sides name new keys.
        let seal_old = caller.sends;
        caller.srtp = Srtp { suite: after, ours: master(after, 50), theirs: master(after, 60) };
        stage.order(Order::Change { leg: stage.leg(0), config: Box::new(caller.config()) });
        // A session that is refreshed as it is changes nothing.
        stage.order(Order::Change { leg: stage.leg(0), config: Box::new(caller.config()) });
        frames(&mut stage, 5, &mut [&mut caller], &mut []);
        assert_eq!(stage.take_for(&clerk).len(), 5, "{before:?} to {after:?}: the old keys still hold");
        caller.sends = caller.lib.session(after, &caller.srtp.theirs, true);
        caller.hears = caller.lib.session(after, &caller.srtp.ours, false);
        frames(&mut stage, 5, &mut [&mut caller], &mut [&mut clerk]);
        assert_eq!(stage.take_for(&clerk).len(), 5, "and so do the new ones");
        let later = caller.take(&mut stage);
        assert_one_stream(&[&to_caller[..], &later].concat());
        assert_eq!(later.len(), 5, "what is sent is sealed with the new ones at once");
        let packet = caller.peer.next();
        let old = caller.lib.protect(seal_old, &packet.write());
        caller.arrive(&mut stage, &old);
        assert_eq!(stage.take_for(&clerk), [], "the old ones are over");
        assert_eq!(stage.close(0).refused, 1);
    }
}

#[test]
fn another_source_of_the_same_telephone_has_a_counter_of_its_own() {
    for suite in [SUITES[0], SUITES[3]] {
        let mut stage = Stage::new(&[]);
        let mut caller = Phone::join(&mut stage, 0, Law::Pcma, suite);
        let clerk = Peer::join(&mut stage, 1, Law::Pcma);
        stage.bridge(0, 1);
        caller.peer.sequence = 65_533;
        let mut sent = 0;
        // More than are kept, each with a wrap; then the last two in turn.
        for ssrc in [1, 2, 3, 4, 5, 6] {
            caller.peer.ssrc = ssrc;
            for _ in 0..10 {
                caller.speak(&mut stage);
                sent += 1;
            }
            if ssrc < 6 {
                caller.peer.sequence = 65_533;
            }
        }
        let heard = stage.take_for(&clerk);
        assert_eq!(heard.len(), sent, "{suite:?}");
        assert_one_stream(&heard);
        let packet = caller.peer.next();
        let replayed = caller.seal(&packet);
        caller.arrive(&mut stage, &replayed);
        caller.arrive(&mut stage, &replayed);
        assert_eq!(stage.take_for(&clerk).len(), 1);
        assert_eq!(stage.close(0).refused, 1);
    }
}

#[test]
fn gathered_packets_and_keys_passed_on_are_sealed_too() {
    for suite in SUITES {
        let mut stage = Stage::new(&[]);
        let mut caller = Phone::join(&mut stage, 0, Law::Pcma, suite);
        let mut clerk = Phone::at(1, Law::Pcmu, suite);
        let config = LegConfig { packet_ms: 60, ..clerk.config() };
        stage.order(Order::Open { leg: stage.leg(1), config: Box::new(config) });
        stage.bridge(0, 1);
        caller.peer.tone = Some(700.0);
        frames(&mut stage, 60, &mut [&mut caller, &mut clerk], &mut []);
        let timestamp = caller.peer.timestamp;
        for n in 1..=7_u16 {
            let event = Event { code: 8, end: n >= 5, duration: n.min(5) * 160 };
            let mut packet = caller.peer.next_with(event.write());
            (packet.timestamp, packet.payload_type, packet.marker) = (timestamp, EVENTS.1, n == 1);
            caller.send(&mut stage, &packet);
            (0..4).for_each(|_| stage.tick());
        }
        let heard = clerk.take(&mut stage);
        assert_one_stream(&heard);
        let (keys, sound): (Vec<_>, Vec<_>) =
            heard.into_iter().partition(|packet| packet.payload_type == EVENTS.0);
        assert_eq!(keys.len(), 7);
        assert!(sound.iter().filter(|packet| packet.payload.len() == 480).count() >= 15, "{suite:?}");
        assert!(level(&clerk.peer.hears(&sound), 700.0) > HEARD);
        let digits = stage.facts.iter().filter(|fact| matches!(fact, Fact::Digit { digit: '8', .. }));
        assert_eq!(digits.count(), 1);
    }
}
