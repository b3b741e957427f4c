//! Media threads over real loopback sockets, the same cases by io_uring and by epoll.
//!
//! Packets are counted, never timed: a client sends its next packet when it hears one. Without
//! `HOTLINE_NO_URING` a machine that refuses io_uring fails here, so that it is never left out unseen.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hotline::id::{CallId, Dice, LegId};
use hotline::io::clock::Clock;
use hotline::io::media::{MediaConfig, MediaHandle, ShellChoice};
use hotline::io::recorder::RecorderConfig;
use hotline::media::order::{Codec, Flow, Group, PortSlot, SoundId, Watches};
use hotline::media::{Fact, LegConfig, Order, SoundBank, g711};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// A-law codes of a frame.
const FRAME: usize = 160;
/// Frames of the one prompt.
const PROMPT_FRAMES: usize = 40;
/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// A media plane with one prompt, and a directory for recordings.
struct House {
    media: MediaHandle,
    woken: Receiver<()>,
    told: Vec<Fact>,
    data: Shelf,
    dice: Dice,
}

/// A directory that goes with its test.
struct Shelf(PathBuf);

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl House {
    fn new(name: &str, shell: ShellChoice, first_port: u16, shape: impl Fn(&mut MediaConfig)) -> House {
        let data = std::env::temp_dir().join(format!("hotline-{name}-{shell:?}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        let (wake, woken) = channel();
        let mut config = MediaConfig {
            bind: HERE,
            ports: (first_port, first_port + 63),
            shell,
            shards: 1,
            orders_ring: 64,
            bank: SoundBank::new([prompt()]),
            dice: Dice::seeded(42),
            clock: Clock::system(),
            recorder: RecorderConfig { data: data.clone(), zone: jiff::tz::TimeZone::UTC, recordings_max: 8 },
            wake: Arc::new(move || {
                let _ = wake.send(());
            }),
        };
        shape(&mut config);
        House {
            media: MediaHandle::spawn(config)
                .expect("set HOTLINE_NO_URING where the kernel forbids io_uring"),
            woken,
            told: Vec::new(),
            data: Shelf(data),
            dice: Dice::seeded(7),
        }
    }

    fn call(&mut self) -> CallId {
        CallId::draw(1_700_000_000_000, &mut self.dice)
    }

    /// Opens a leg whose peer is `client`.
    fn open(&mut self, leg: LegId, slot: PortSlot, client: &Client) {
        let remote = client.socket.local_addr().unwrap();
        let config = LegConfig {
            slot,
            group: Group::of_call(leg.call),
            codec: Codec::Pcma,
            payload_type: 8,
            payload_type_in: 8,
            other_in: None,
            dtmf: None,
            remote,
            remote_rtcp: SocketAddr::new(HERE, 9),
            rtcp_mux: false,
            packet_ms: 20,
            new_peer: false,
            signalling_peer: HERE,
            flow: Flow::SendRecv,
            srtp: None,
            silence_max: Duration::ZERO,
            watches: Watches::default(),
            keys_told: false,
        };
        let config = Box::new(config);
        self.media.send(Order::Open { leg, config });
    }

    fn play(&mut self, leg: LegId, mark: u32) {
        self.media.send(Order::Play { leg, sounds: [SoundId(0)].into(), repeat: false, mark });
    }

    /// Takes facts until one is `wanted`.
    fn until(&mut self, wanted: impl Fn(&Fact) -> bool) -> Fact {
        loop {
            while let Some(fact) = self.media.poll() {
                self.told.push(fact.clone());
                if wanted(&fact) {
                    return fact;
                }
            }
            let woken = self.woken.recv_timeout(PATIENCE);
            assert!(woken.is_ok(), "only {:?} were told", self.told);
        }
    }

    fn address(&self, slot: PortSlot) -> SocketAddr {
        SocketAddr::new(HERE, self.media.port(slot))
    }
}

/// Forty frames, each of one value that A-law holds exactly and no other frame has.
fn prompt() -> Arc<[i16]> {
    (0..PROMPT_FRAMES).flat_map(|frame| [prompt_value(frame); FRAME]).collect()
}

fn prompt_value(frame: usize) -> i16 {
    g711::decode_sample(g711::Law::A, 0x80 + frame as u8)
}

/// A phone's sound: packets one by one.
struct Client {
    socket: UdpSocket,
    sequence: u16,
    ssrc: u32,
}

/// A packet as it was heard.
struct Heard {
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    payload: Vec<u8>,
}

impl Client {
    fn new(ssrc: u32) -> Client {
        let socket = UdpSocket::bind((HERE, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        Client { socket, sequence: 1_000, ssrc }
    }

    /// Sends 20 ms of one code.
    fn say(&mut self, code: u8, to: SocketAddr) {
        let mut packet = vec![0x80, 8];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend((u32::from(self.sequence) * 160).to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend([code; FRAME]);
        self.socket.send_to(&packet, to).unwrap();
        self.sequence += 1;
    }

    fn hear(&self) -> Option<Heard> {
        let mut packet = [0; 1_500];
        let len = self.socket.recv(&mut packet).ok()?;
        assert_eq!(packet[0], 0x80, "RTP version 2, nothing added");
        let word = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().unwrap());
        Some(Heard {
            payload_type: packet[1] & 0x7f,
            sequence: u16::from_be_bytes([packet[2], packet[3]]),
            timestamp: word(4),
            ssrc: word(8),
            payload: packet[12..len].to_vec(),
        })
    }

    /// Waits for the next packet as long as anything may take.
    fn hear_surely(&self) -> Heard {
        (0..50).find_map(|_| self.hear()).expect("a packet in ten seconds")
    }
}

/// The choices to be tested on this machine.
fn shells() -> Vec<(ShellChoice, u16)> {
    let mut shells = vec![(ShellChoice::Epoll, 0)];
    if std::env::var_os("HOTLINE_NO_URING").is_none() {
        shells.push((ShellChoice::Uring, 64));
    }
    shells
}

#[test]
fn a_prompt_is_heard_frame_by_frame_and_told_when_it_is_through() {
    for (shell, offset) in shells() {
        let mut house = House::new("prompt", shell, 14_000 + offset, |_| {});
        let client = Client::new(1);
        let slot = house.media.open_ports(1)[0];
        let call = house.call();
        let leg = LegId::caller(call);
        house.open(leg, slot, &client);
        house.play(leg, 9);
        let heard: Vec<Heard> = (0..PROMPT_FRAMES).map(|_| client.hear_surely()).collect();
        for (frame, packet) in heard.iter().enumerate() {
            assert_eq!(packet.payload, [0x80 + frame as u8; FRAME], "frame {frame} by {shell:?}");
            assert_eq!((packet.payload_type, packet.ssrc), (8, heard[0].ssrc));
            assert_eq!(packet.sequence, heard[0].sequence.wrapping_add(frame as u16));
            let step = packet.timestamp.wrapping_sub(heard[0].timestamp);
            assert_eq!(step, 160 * frame as u32);
        }
        house.until(|fact| *fact == Fact::Played { leg, mark: 9 });
        house.media.send(Order::Close { leg });
        let closed = house.until(|fact| matches!(fact, Fact::Closed { .. }));
        let Fact::Closed { slot: freed, figures, .. } = closed else { unreachable!() };
        assert_eq!(freed, slot);
        assert!(figures.sent >= PROMPT_FRAMES as u64);
    }
}

/// Sends by `from` until `to` hears, then `count` packets one by one; what `to` heard of those.
fn exchange(from: &mut Client, at: SocketAddr, to: &Client, count: u8) -> Vec<Heard> {
    // The first packets may come before the orders are carried out.
    let first = (0..50).find_map(|_| {
        from.say(0xd5, at);
        to.hear()
    });
    assert!(first.is_some(), "the bridge carries");
    while to.hear().is_some() {} // Those that were sent before it did.
    (0..count)
        .map(|number| {
            from.say(number, at);
            to.hear_surely()
        })
        .collect()
}

fn check_relayed(heard: &[Heard], shell: ShellChoice) {
    for (number, packet) in heard.iter().enumerate() {
        assert_eq!(packet.payload, [number as u8; FRAME], "by {shell:?}");
        assert_eq!(packet.sequence, heard[0].sequence.wrapping_add(number as u16));
        assert_eq!(packet.ssrc, heard[0].ssrc);
    }
}

#[test]
fn a_bridge_carries_both_voices_over_all_threads() {
    for (shell, offset) in shells() {
        let mut house = House::new("bridge", shell, 14_200 + offset, |config| config.shards = 3);
        let slots = house.media.open_ports(8);
        assert_eq!(slots.len(), 8);
        for pair in slots.chunks(2) {
            let (mut caller, mut clerk) = (Client::new(1), Client::new(2));
            let call = house.call();
            let [a, b] = [0, 1].map(|index| LegId { call, index });
            house.open(a, pair[0], &caller);
            house.open(b, pair[1], &clerk);
            house.media.send(Order::Bridge { a, b });
            let heard = exchange(&mut caller, house.address(pair[0]), &clerk, 25);
            check_relayed(&heard, shell);
            let heard = exchange(&mut clerk, house.address(pair[1]), &caller, 25);
            check_relayed(&heard, shell);
            house.until(|fact| matches!(fact, Fact::Latched { leg, .. } if *leg == a));
            house.media.send_many([Order::Close { leg: a }, Order::Close { leg: b }]);
            house.until(|fact| matches!(fact, Fact::Closed { leg, .. } if *leg == b));
        }
    }
}

#[test]
fn a_recording_has_the_caller_left_and_the_prompt_right() {
    for (shell, offset) in shells() {
        let mut house = House::new("recording", shell, 14_400 + offset, |_| {});
        let mut client = Client::new(1);
        let slot = house.media.open_ports(1)[0];
        let call = house.call();
        let leg = LegId::caller(call);
        house.open(leg, slot, &client);
        let begun = "2021-09-01T01:00:00Z".parse().unwrap();
        house.media.send(Order::Record { call, caller: leg, begun, tracks: false });
        house.play(leg, 1);
        for frame in 0..PROMPT_FRAMES {
            client.hear_surely();
            client.say(0xc0 + frame as u8 % 0x20, house.address(slot)); // Paced by what it hears.
        }
        house.until(|fact| matches!(fact, Fact::Played { .. }));
        house.media.send(Order::StopRecord { call });
        let recorded = house.until(|fact| matches!(fact, Fact::Recorded { .. }));
        let Fact::Recorded { file, samples, .. } = recorded else { unreachable!() };
        assert_eq!(file, format!("recordings/2021-09-01/{call}.wav"));
        let mut reader = hound::WavReader::open(house.data.0.join(file)).unwrap();
        assert_eq!(u64::from(reader.duration()), samples);
        let both: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        let side = |offset: usize| -> Vec<i16> { both.iter().skip(offset).step_by(2).copied().collect() };
        let (left, right) = (side(0), side(1));
        let at = right.windows(prompt().len()).position(|heard| heard == &*prompt());
        assert!(at.is_some(), "the prompt is there to the sample, by {shell:?}");
        let said = (0..0x20)
            .filter(|code| {
                let value = g711::decode_sample(g711::Law::A, 0xc0 + code);
                left.windows(FRAME).any(|heard| heard == [value; FRAME])
            })
            .count();
        assert!(said >= 16, "{said} of 32 frames of the caller, by {shell:?}");
    }
}

#[test]
fn a_house_that_closes_leaves_whole_recordings() {
    for (shell, offset) in shells() {
        let mut house = House::new("closing", shell, 14_600 + offset, |_| {});
        let client = Client::new(1);
        let slot = house.media.open_ports(1)[0];
        let call = house.call();
        let leg = LegId::caller(call);
        house.open(leg, slot, &client);
        let begun = "2021-09-01T01:00:00Z".parse().unwrap();
        house.media.send(Order::Record { call, caller: leg, begun, tracks: false });
        house.play(leg, 1);
        house.until(|fact| matches!(fact, Fact::Played { .. }));
        let House { media, data, .. } = house;
        let last = media.stop();
        let Some(Fact::Recorded { file, samples, .. }) =
            last.iter().find(|fact| matches!(fact, Fact::Recorded { .. }))
        else {
            panic!("{last:?}");
        };
        let reader = hound::WavReader::open(data.0.join(file)).unwrap();
        assert_eq!(u64::from(reader.duration()), *samples);
        assert!(*samples >= (PROMPT_FRAMES * FRAME) as u64);
    }
}

#[test]
fn orders_that_find_the_ring_full_wait_and_are_carried_out_in_order() {
    for (shell, offset) in shells() {
        let mut house = House::new("orders", shell, 14_800 + offset, |config| config.orders_ring = 2);
        let client = Client::new(1);
        let slots = house.media.open_ports(8);
        let call = house.call();
        let legs: Vec<LegId> = (0..8).map(|index| LegId { call, index }).collect();
        for (leg, slot) in legs.iter().zip(&slots) {
            house.open(*leg, *slot, &client);
            for mark in 0..20 {
                house.play(*leg, mark); // Each takes the place of the one before.
            }
        }
        assert!(house.media.figures().orders_held.load(Ordering::Relaxed) > 0);
        for leg in &legs {
            house.until(|fact| matches!(fact, Fact::Played { leg: played, .. } if played == leg));
        }
        let marks: Vec<u32> = house
            .told
            .iter()
            .filter_map(|fact| match fact {
                Fact::Played { mark, .. } => Some(*mark),
                _ => None,
            })
            .collect();
        assert_eq!(marks, [19; 8], "only the last of each leg is played through");
        assert_eq!(house.media.figures().orders_refused.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn slots_come_lowest_first_and_a_leg_hears_nothing_meant_for_the_one_before() {
    for (shell, offset) in shells() {
        let mut house = House::new("slots", shell, 15_000 + offset, |_| {});
        let mut client = Client::new(1);
        let slots = house.media.open_ports(3);
        assert!(slots.is_sorted(), "{slots:?}");
        assert!(slots.iter().all(|slot| house.media.port(*slot).is_multiple_of(2)));
        let call = house.call();
        let [first, second, nowhere] = [0, 1, 2].map(|index| LegId { call, index });
        house.open(first, slots[0], &client);
        house.media.send(Order::Close { leg: first });
        house.until(|fact| matches!(fact, Fact::Closed { .. }));
        for _ in 0..5 {
            client.say(1, house.address(slots[0]));
        }
        house.open(second, slots[0], &client);
        house.play(second, 1);
        house.until(|fact| matches!(fact, Fact::Played { .. }));
        house.media.send(Order::Close { leg: second });
        let closed = house.until(|fact| matches!(fact, Fact::Closed { .. }));
        let Fact::Closed { figures, .. } = closed else { unreachable!() };
        assert_eq!((figures.received, figures.refused), (0, 0), "by {shell:?}");

        house.open(nowhere, PortSlot(30), &client);
        house.until(|fact| *fact == Fact::Failed { leg: nowhere });
    }
}

#[test]
fn left_to_itself_the_house_takes_io_uring_where_it_can() {
    let house = House::new("auto", ShellChoice::Auto, 15_200, |_| {});
    let expected = match std::env::var_os("HOTLINE_NO_URING") {
        None => "io_uring",
        Some(_) => house.media.shell(),
    };
    assert_eq!(house.media.shell(), expected);
}

#[test]
fn io_uring_is_left_out_of_the_tests_only_where_the_kernel_refuses_it() {
    if std::env::var_os("HOTLINE_NO_URING").is_none() {
        return; // Every test here ran by it, or failed.
    }
    let figures = Arc::new(hotline::io::media::MediaFigures::default());
    let shell = hotline::io::media::open_shell(ShellChoice::Uring, 8, &figures);
    assert!(shell.is_err(), "HOTLINE_NO_URING is set, but this kernel has io_uring: it must be tested");
}
