//! Reports, read by code that knows RFC 3550 and nothing of the engine.

use std::time::Duration;

use hotline::media::order::{LegConfig, Order};
use hotline::media::{Channel, SocketKey};
use hotline::phone::Codec as Law;

use crate::packets::{Block, Report, read_reports, write_sender_report};
use crate::stage::{BEGUN_S, Left, Peer, Stage};

/// Seconds from 1900 to 1970.
const NTP_UNIX: u64 = 2_208_988_800;

/// Reports that have left for the peer's RTCP address, with their moments.
fn reports(stage: &Stage, peer: &Peer) -> Vec<(Left, Vec<Report>)> {
    let to = std::net::SocketAddr::new(peer.address.ip(), peer.address.port() + 1);
    let socket = SocketKey { slot: peer.slot, kind: Channel::Rtcp };
    let ours = stage.air.left.iter().filter(|left| left.to == to);
    ours.map(|left| {
        assert_eq!(left.from, socket);
        (left.clone(), read_reports(&left.bytes))
    })
    .collect()
}

#[test]
fn a_leg_that_speaks_and_listens_reports_what_it_sent_and_heard() {
    let mut stage = Stage::new(&[&[500; 800]]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    stage.play(0, &[0], true, 1);
    let first = caller.sequence;
    let begun = stage.now().mono;
    // One in ten is lost on the way to us.
    for n in 0..1_500 {
        let packet = caller.next();
        if n % 10 != 9 {
            caller.send(&mut stage, &packet);
        }
        (0..4).for_each(|_| stage.tick());
    }
    let reports = reports(&stage, &caller);
    // 30 s at 5 s on average, each drawn from half to one and a half of it (§6.2).
    assert!((4..=12).contains(&reports.len()), "{}", reports.len());
    let gaps: Vec<Duration> = reports.windows(2).map(|pair| pair[1].0.at.since(pair[0].0.at)).collect();
    assert!(gaps.iter().all(|gap| (2_400..=7_600).contains(&gap.as_millis())), "{gaps:?}");
    let sound = stage.take_for(&caller);
    let ours = sound[0].ssrc;
    let mut names = Vec::new();
    for (left, compound) in &reports {
        let [Report::Sender { ssrc, ntp, rtp, packets, octets, blocks }, Report::Name { ssrc: named, cname }] =
            &compound[..]
        else {
            panic!("SR and SDES: {compound:?}");
        };
        assert_eq!((*ssrc, *named), (ours, ours));
        names.push(cname);
        let since = left.at.since(begun);
        let unix = (ntp >> 32) - NTP_UNIX;
        let wall = Duration::new(unix, (((ntp & 0xffff_ffff) * 1_000_000_000) >> 32) as u32);
        let wanted = Duration::from_secs(BEGUN_S as u64) + since;
        assert!(wall.abs_diff(wanted) < Duration::from_millis(1), "{wall:?}, {wanted:?}");
        // Of what was sent by then: one packet each 20 ms.
        let sent = since.as_millis() as u32 / 20;
        assert!(packets.abs_diff(sent) <= 1, "{packets} of {sent}");
        assert_eq!(*octets, packets * 160, "payload only");
        let due = sound[0].timestamp.wrapping_add(since.as_millis() as u32 * 8);
        assert!((rtp.wrapping_sub(due) as i32).abs() <= 320, "the RTP clock at that moment");

        let [block] = &blocks[..] else { panic!("one source: {blocks:?}") };
        assert_eq!(block.ssrc, caller.ssrc);
        let expected = block.highest.wrapping_sub(u32::from(first)) + 1;
        assert!(expected.abs_diff(sent) <= 12, "extended by the wrap: {expected} of {sent}");
        assert!(block.lost.abs_diff(expected / 10) <= 1, "{} of {expected}", block.lost);
        assert!((20..=32).contains(&block.fraction_lost), "a tenth of 256: {}", block.fraction_lost);
        assert!(block.jitter < 40, "5 ms at most: {}", block.jitter);
        assert_eq!((block.last_sender_report, block.delay), (0, 0), "the peer has sent none");
    }
    assert!(names[0].len() == 16 && names.iter().all(|name| *name == names[0]), "{names:?}");
}

#[test]
fn a_leg_that_only_listens_sends_receiver_reports_and_says_goodbye_only_if_it_spoke() {
    let mut stage = Stage::new(&[&[500; 1_600]]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    stage.frames(500, &mut [&mut caller]);
    let kinds: Vec<bool> = reports(&stage, &caller)
        .iter()
        .map(|(_, compound)| matches!(compound[0], Report::Receiver { .. }))
        .collect();
    assert!(!kinds.is_empty() && kinds.iter().all(|receiver| *receiver), "{kinds:?}");

    stage.play(0, &[0], false, 1);
    stage.frames(12, &mut [&mut caller]);
    stage.close(0);
    let last = reports(&stage, &caller).pop().unwrap().1;
    let [Report::Sender { ssrc, packets, .. }, Report::Name { .. }, Report::Bye { ssrc: bye }] = &last[..]
    else {
        panic!("SR, SDES, BYE: {last:?}");
    };
    assert_eq!((*packets, ssrc), (10, bye));

    let silent = Peer::join(&mut stage, 1, Law::Pcma);
    stage.close(1);
    assert!(reports(&stage, &silent).is_empty(), "who never spoke says no goodbye");
}

#[test]
fn the_round_trip_is_measured_and_the_peers_report_answered() {
    let mut stage = Stage::new(&[&[500; 800]]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    stage.play(0, &[0], true, 1);
    stage.frames(500, &mut [&mut caller]);
    let (left, compound) = reports(&stage, &caller).pop().expect("a report within ten seconds");
    let Report::Sender { ssrc, ntp, .. } = compound[0] else { panic!("{compound:?}") };
    // The network takes some time there and back, the peer keeps the report for a second.
    let kept = Duration::from_secs(1);
    let age = stage.now().mono.since(left.at);
    stage.frames((kept.as_millis() / 20) as usize, &mut [&mut caller]);
    let away = age + kept;
    let round_trip = Duration::from_millis(80);
    let delay = ((away - round_trip.min(away)).as_nanos() * 65_536 / 1_000_000_000) as u32;
    let block = Block {
        ssrc,
        fraction_lost: 0,
        lost: 0,
        highest: 0,
        jitter: 0,
        last_sender_report: (ntp >> 16) as u32,
        delay,
    };
    let theirs = 0xe500_1234_8000_0000_u64;
    caller.report(&mut stage, &write_sender_report(caller.ssrc, theirs, block));
    let answered = stage.now().mono;
    stage.frames(400, &mut [&mut caller]);
    let (left, compound) = reports(&stage, &caller).pop().unwrap();
    let Report::Sender { blocks, .. } = &compound[0] else { panic!("{compound:?}") };
    assert_eq!(blocks[0].last_sender_report, 0x1234_8000, "the middle of their NTP time");
    let since = (left.at.since(answered).as_nanos() * 65_536 / 1_000_000_000) as u32;
    assert!(blocks[0].delay.abs_diff(since) <= 1);
    let measured = Duration::from_micros(stage.close(0).round_trip_us.into());
    assert!(measured.abs_diff(round_trip) < Duration::from_millis(1), "{measured:?}");
}

#[test]
fn with_rtcp_mux_reports_share_the_port_of_the_sound() {
    let mut stage = Stage::new(&[&[500; 800]]);
    let mut caller = Peer::at(0, Law::Pcma);
    let config = LegConfig { rtcp_mux: true, remote_rtcp: caller.address, ..caller.config() };
    stage.order(Order::Open { leg: stage.leg(0), config: Box::new(config) });
    stage.play(0, &[0], true, 1);
    stage.frames(500, &mut [&mut caller]);
    let report = write_sender_report(
        caller.ssrc,
        1 << 40,
        Block { ssrc: 1, fraction_lost: 0, lost: 0, highest: 0, jitter: 0, last_sender_report: 0, delay: 0 },
    );
    stage.arrive(SocketKey::rtp(caller.slot), caller.address, &report);
    stage.frames(400, &mut [&mut caller]);
    let muxed: Vec<&Left> =
        stage.air.left.iter().filter(|left| (192..=223).contains(&left.bytes[1])).collect();
    assert!(muxed.len() >= 2);
    assert!(muxed.iter().all(|left| left.from == SocketKey::rtp(caller.slot) && left.to == caller.address));
    let Report::Sender { blocks, .. } = &read_reports(&muxed.last().unwrap().bytes)[0] else { panic!() };
    assert_eq!(blocks[0].last_sender_report, 1 << 24, "theirs was heard on the same port");
    assert_eq!(stage.close(0).refused, 0);
}

#[test]
fn what_the_peer_reports_of_our_stream_is_kept_and_nonsense_is_not() {
    let mut stage = Stage::new(&[&[500; 800]]);
    let mut caller = Peer::join(&mut stage, 0, Law::Pcma);
    stage.play(0, &[0], true, 1);
    stage.frames(1_000, &mut [&mut caller]);
    let sound = stage.take_for(&caller);
    let (ours, last) = (sound[0].ssrc, sound.last().unwrap().sequence);
    assert!(u32::from(sound[0].sequence) + 1_000 > 0xffff || last > sound[0].sequence);
    let block = |lost: u32, highest: u32, jitter: u32| Block {
        ssrc: ours,
        fraction_lost: 0,
        lost,
        highest,
        jitter,
        last_sender_report: 0,
        delay: 0,
    };
    // By the peer's count its highest number has gone round three times: that is its own affair.
    let told = [
        block(30, 0x3_0000 | u32::from(last), 160),
        // Never sent; more lost than sent; half a minute of jitter.
        block(31, u32::from(last.wrapping_add(500)), 160),
        block(5_000, u32::from(last), 160),
        block(31, u32::from(last), 8_000 * 30),
        // About somebody else.
        Block { ssrc: ours ^ 1, ..block(900, u32::from(last), 0) },
        block(50, u32::from(last), 320),
    ];
    for block in told {
        caller.report(&mut stage, &write_sender_report(caller.ssrc, 1 << 40, block));
    }
    let out = stage.close(0).outbound;
    assert_eq!((out.reports, out.nonsense), (2, 3));
    assert_eq!((out.expected, out.lost), (sound.len() as u64, 50));
    assert_eq!(out.jitter_us, 30_000, "the mean of 20 and 40 ms");
    // 5 % at random: Ie,eff = 95·5/30.1 = 15.8; R 77.4 less the delay's part.
    assert!((380..=394).contains(&out.mos_x100), "{}", out.mos_x100);
}
