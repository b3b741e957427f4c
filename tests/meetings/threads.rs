//! Members of one room meet whichever calls they are: with four media threads, each room is on one.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use hotline::id::{CallId, Dice, LegId};
use hotline::io::clock::Clock;
use hotline::io::media::{MediaConfig, MediaHandle, ShellChoice};
use hotline::io::recorder::RecorderConfig;
use hotline::media::g711::{Law, decode_sample, encode_sample};
use hotline::media::order::{Codec, ConferenceId, Flow, Group, PortSlot, Rights, Watches};
use hotline::media::{Fact, LegConfig, Order, SoundBank};
use hotline::phone::listen;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ROOMS: u64 = 8;
/// A-law codes of a frame.
const FRAME: usize = 160;
/// Between two packets of a member.
const PACE: Duration = Duration::from_millis(20);
/// A fifth of a second: bands of 5 Hz.
const WINDOW: usize = 1_600;
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory that goes with its test.
struct Shelf(PathBuf);

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One member: says a tone and keeps what it hears.
struct Member {
    leg: LegId,
    slot: PortSlot,
    room: u64,
    hz: u32,
    socket: UdpSocket,
    engine: SocketAddr,
    sent: u32,
    heard: Vec<i16>,
    /// Streams that it was sent.
    streams: BTreeSet<[u8; 4]>,
}

impl Member {
    fn config(&self) -> LegConfig {
        LegConfig {
            slot: self.slot,
            group: Group::of_conference(ConferenceId(self.room)),
            codec: Codec::Pcma,
            payload_type: 8,
            payload_type_in: 8,
            other_in: None,
            dtmf: None,
            remote: self.socket.local_addr().unwrap(),
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
        }
    }

    fn speaks(&mut self) {
        let mut packet = vec![0x80, 8];
        packet.extend((self.sent as u16).to_be_bytes());
        packet.extend((self.sent * FRAME as u32).to_be_bytes());
        packet.extend(self.hz.to_be_bytes());
        let from = self.sent * FRAME as u32;
        packet.extend((from..from + FRAME as u32).map(|n| {
            let turn = f64::from(n % 8_000 * self.hz) / 8_000.0 * std::f64::consts::TAU;
            encode_sample(Law::A, (4_000.0 * turn.sin()) as i16)
        }));
        self.socket.send_to(&packet, self.engine).unwrap();
        self.sent += 1;
    }

    fn listens(&mut self) {
        let mut packet = [0; 2_048];
        while let Ok(length) = self.socket.recv(&mut packet) {
            self.streams.insert([packet[8], packet[9], packet[10], packet[11]]);
            self.heard.extend(packet[12..length].iter().map(|code| decode_sample(Law::A, *code)));
        }
    }

    /// Whether exactly these tones are in what it heard last.
    fn hears_just(&self, tones: &[u32], all: &[u32]) -> bool {
        let Some(from) = self.heard.len().checked_sub(WINDOW) else { return false };
        all.iter().all(|hz| {
            let level = listen::tone_level(&self.heard[from..], f64::from(*hz));
            if tones.contains(hz) { level > -30.0 } else { level < -45.0 }
        })
    }
}

/// The media threads and all who talk by them.
struct House {
    media: MediaHandle,
    members: Vec<Member>,
    woken: Receiver<()>,
    /// Legs whose sound is closed.
    closed: BTreeSet<LegId>,
    /// Kept until the threads have ended.
    _shelf: Shelf,
}

impl House {
    fn new(shards: usize, first_port: u16) -> House {
        let data = std::env::temp_dir().join(format!("hotline-rooms-{first_port}-{}", std::process::id()));
        let (wake, woken) = channel();
        let mut media = MediaHandle::spawn(MediaConfig {
            bind: HERE,
            ports: (first_port, first_port + 199),
            shell: ShellChoice::Auto,
            shards,
            orders_ring: 64,
            bank: SoundBank::new([]),
            dice: Dice::seeded(42),
            clock: Clock::system(),
            recorder: RecorderConfig { data: data.clone(), zone: jiff::tz::TimeZone::UTC, recordings_max: 8 },
            wake: Arc::new(move || {
                let _ = wake.send(());
            }),
        })
        .expect("media threads");
        let slots = media.open_ports(3 * ROOMS as u32);
        let mut dice = Dice::seeded(7);
        let members = slots.into_iter().zip(0..).map(|(slot, n)| {
            let socket = UdpSocket::bind((HERE, 0)).unwrap();
            socket.set_nonblocking(true).unwrap();
            Member {
                leg: LegId::caller(CallId::draw(1_700_000_000_000, &mut dice)),
                slot,
                room: 94_000_001 + n / 3,
                hz: 400 + 100 * n as u32,
                socket,
                engine: SocketAddr::new(HERE, media.port(slot)),
                sent: 0,
                heard: Vec::new(),
                streams: BTreeSet::new(),
            }
        });
        let members: Vec<Member> = members.collect();
        assert_eq!(members.len() as u64, 3 * ROOMS, "ports");
        House { media, members, woken, closed: BTreeSet::new(), _shelf: Shelf(data) }
    }

    fn opens(&mut self) {
        for member in &self.members {
            let (leg, config) = (member.leg, Box::new(member.config()));
            let conference = ConferenceId(member.room);
            self.media.send(Order::Open { leg, config });
            self.media.send(Order::Join { leg, conference, rights: Rights::FULL });
        }
    }

    /// Everybody talks at a telephone's pace until something is so.
    fn until(&mut self, what: &str, done: impl Fn(&[Member]) -> bool) {
        let begun = Instant::now();
        let mut due = begun;
        while !done(&self.members) {
            assert!(begun.elapsed() < PATIENCE, "{what} did not come true");
            while let Some(fact) = self.media.poll() {
                assert!(!matches!(fact, Fact::Failed { .. }), "{fact:?}");
                if let Fact::Closed { leg, .. } = fact {
                    self.closed.insert(leg);
                }
            }
            self.members.iter_mut().for_each(Member::speaks);
            due += PACE;
            // For news of the threads, or until the next packets are due.
            while self.woken.recv_timeout(due.saturating_duration_since(Instant::now())).is_ok() {}
            self.members.iter_mut().for_each(Member::listens);
        }
    }
}

#[test]
fn members_of_a_room_meet_on_whichever_of_four_threads_it_is_and_rooms_do_not() {
    let mut house = House::new(4, 28_000);
    house.opens();
    let all: Vec<u32> = house.members.iter().map(|member| member.hz).collect();
    house.until("each hears the two others", |members| {
        members.iter().all(|member| {
            let others = members.iter().filter(|other| other.room == member.room && other.leg != member.leg);
            let tones: Vec<u32> = others.map(|other| other.hz).collect();
            tones.len() == 2 && member.hears_just(&tones, &all)
        })
    });
    // Later orders find the same thread.
    let gone: Vec<LegId> = house.members.iter().step_by(3).map(|member| member.leg).collect();
    for leg in &gone {
        house.media.send(Order::Close { leg: *leg });
    }
    house.until("who has left is not heard any more", |members| {
        members.iter().filter(|member| !gone.contains(&member.leg)).all(|member| {
            let mut others =
                members.iter().filter(|other| other.room == member.room && other.leg != member.leg);
            let other = others.find(|other| !gone.contains(&other.leg)).expect("one stays");
            member.hears_just(&[other.hz], &all)
        })
    });
    let left = house.media.stop();
    assert!(left.iter().all(|fact| !matches!(fact, Fact::Failed { .. })), "{left:?}");
}

/// As who listens follows a seat from call to call, which are on any thread.
#[test]
fn who_goes_over_to_another_group_is_heard_there_on_its_thread_by_the_same_stream() {
    let mut house = House::new(4, 28_200);
    house.opens();
    let all: Vec<u32> = house.members.iter().map(|member| member.hz).collect();
    let two = |member: &Member| member.streams.len() == 1;
    house.until("each hears somebody", |members| members.iter().all(two));
    let first = |room: u64| move |member: &&Member| member.room == room;
    let guests: Vec<LegId> = house.members.iter().step_by(3).map(|member| member.leg).collect();
    let goes = |house: &mut House, leg: LegId, room: u64| {
        let conference = ConferenceId(room);
        house.media.send(Order::Move { leg, group: Group::of_conference(conference) });
        house.media.send(Order::Join { leg, conference, rights: Rights::FULL });
    };
    // By way of all rooms, without waiting for the threads, to the next room but one.
    for (n, leg) in (0..).zip(&guests) {
        for by in 1..=ROOMS + 2 {
            goes(&mut house, *leg, 94_000_001 + (n + by) % ROOMS);
        }
    }
    let now_in = |leg: LegId, room: u64| match guests.iter().position(|guest| *guest == leg) {
        Some(n) => 94_000_001 + (n as u64 + 2) % ROOMS,
        None => room,
    };
    house.until("each hears those who are in its room now", |members| {
        members.iter().all(|member| {
            let room = now_in(member.leg, member.room);
            let others = members.iter().filter(|other| now_in(other.leg, other.room) == room);
            let tones: Vec<u32> =
                others.filter(|other| other.leg != member.leg).map(|other| other.hz).collect();
            tones.len() == 2 && member.hears_just(&tones, &all)
        })
    });
    assert!(house.members.iter().all(two), "nobody's stream has changed");
    // One that ends on its way is gone, and its pair is free.
    for leg in &guests {
        goes(&mut house, *leg, 94_000_001);
        house.media.send(Order::Close { leg: *leg });
    }
    house.until("they are gone", |members| {
        members.iter().filter(|member| !guests.contains(&member.leg)).all(|member| {
            let other = members
                .iter()
                .filter(first(member.room))
                .find(|other| other.leg != member.leg && !guests.contains(&other.leg));
            member.hears_just(&[other.expect("one stays").hz], &all)
        })
    });
    let left = house.media.stop();
    house.closed.extend(left.iter().filter_map(|fact| match fact {
        Fact::Closed { leg, .. } => Some(*leg),
        _ => None,
    }));
    assert!(guests.iter().all(|leg| house.closed.contains(leg)), "each is told to be closed");
    assert!(left.iter().all(|fact| !matches!(fact, Fact::Failed { .. })), "{left:?}");
}
