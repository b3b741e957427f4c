//! A tick allocates nothing: an allocator that counts, around a thousand legs and more.
#![allow(unsafe_code)] // An allocator is unsafe by its trait; this one hands everything on.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant as SystemInstant};

use hotline::id::{CallId, Dice, LegId};
use hotline::io::clock::Clock;
use hotline::io::media::{MediaConfig, MediaHandle, Outbox, ShellChoice, raise_file_limit};
use hotline::io::recorder::{Recorder, RecorderConfig};
use hotline::media::conference::PARTIES_MAX;
use hotline::media::order::{
    Audience, Codec, ConferenceId, Flow, Group, MASTER_MAX, Master, PortSlot, Rights, SoundId, Srtp,
    SrtpSuite, Watches,
};
use hotline::media::srtp::{Cipher, TAIL_MAX};
use hotline::media::{Engine, Fact, LegConfig, Order, SocketKey, SoundBank, Tape};
use hotline::time::{Instant, Now, Timestamp};

struct Counting;

thread_local! {
    /// Whether this thread's allocations count.
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

fn count() {
    if COUNTED.get() {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as our caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count();
        // SAFETY: as our caller promises.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as our caller promises.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// One at a time: the count is one for all threads.
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// A leg of `call` on its own slot.
fn config(call: CallId, slot: u32, codec: Codec, remote: SocketAddr) -> Box<LegConfig> {
    let payload_type = if codec == Codec::Pcma { 8 } else { 0 };
    Box::new(LegConfig {
        slot: PortSlot(slot),
        group: Group::of_call(call),
        codec,
        payload_type,
        payload_type_in: payload_type,
        other_in: None,
        dtmf: Some((101, 101)),
        remote,
        remote_rtcp: SocketAddr::new(remote.ip(), 9),
        rtcp_mux: false,
        packet_ms: 20,
        new_peer: false,
        signalling_peer: remote.ip(),
        flow: Flow::SendRecv,
        srtp: None,
        silence_max: Duration::from_secs(30),
        watches: Watches::default(),
        keys_told: false,
    })
}

/// What calls do: their legs and orders, by kind.
struct Crowd {
    relayed: u64,
    prompts: u64,
    recorded: u64,
    turned: u64,
    /// Conferences of three; the first is of thirty-two.
    conferences: u64,
}

/// The call, room and legs of the `n`-th conference.
fn room(n: u64) -> (ConferenceId, Vec<LegId>) {
    let call = CallId::draw(1_900_000_000_000 + n, &mut Dice::seeded(n));
    let parties = if n == 0 { PARTIES_MAX as u16 } else { 3 };
    (ConferenceId(n), (0..parties).map(|index| LegId { call, index }).collect())
}

impl Crowd {
    /// All orders, and the legs' slots with the payload type that their peers send. Slots from `slots`.
    fn orders(&self, slots: &[PortSlot], remote: SocketAddr) -> (Vec<Order>, Vec<(PortSlot, u8)>) {
        let mut dice = Dice::seeded(4);
        let (mut orders, mut legs) = (Vec::new(), Vec::new());
        let mut open = |orders: &mut Vec<Order>, leg: LegId, codec, packet_ms| {
            let slot = slots[legs.len()];
            let mut config = config(leg.call, slot.0, codec, remote);
            config.packet_ms = packet_ms;
            legs.push((slot, config.payload_type));
            orders.push(Order::Open { leg, config });
        };
        let (relayed, recorded) = (self.relayed, self.relayed + self.recorded);
        for n in 0..recorded + self.turned {
            let call = CallId::draw(1_700_000_000_000 + n, &mut dice);
            let [a, b] = [0, 1].map(|index| LegId { call, index });
            // Who is only turned wants packets of every length.
            let packet_ms = if n >= recorded { [10, 20, 30, 40, 60][n as usize % 5] } else { 20 };
            open(&mut orders, a, Codec::Pcma, packet_ms);
            // Each other recorded bridge has two codecs, and each that is only turned.
            let other = if n >= recorded || n >= relayed && n % 2 == 0 { Codec::Pcmu } else { Codec::Pcma };
            open(&mut orders, b, other, packet_ms);
            if (relayed..recorded).contains(&n) {
                // Each third has tracks, each fourth is paused.
                let (begun, tracks) = (Timestamp::UNIX_EPOCH, n % 3 == 0);
                orders.push(Order::Record { call, caller: a, begun, tracks });
                if n % 4 == 0 {
                    orders.push(Order::PauseRecord { call });
                }
            }
            orders.push(Order::Bridge { a, b });
        }
        for n in 0..self.prompts {
            let leg = LegId::caller(CallId::draw(1_800_000_000_000 + n, &mut dice));
            open(&mut orders, leg, Codec::Pcma, 20);
            let sounds = [SoundId(0), SoundId(0)].into();
            orders.push(Order::Play { leg, sounds, repeat: true, mark: 0 });
        }
        for n in 0..self.conferences {
            let (conference, members) = room(n);
            for leg in members {
                // Each third is coded otherwise than the rest.
                let codec = if leg.index % 3 == 1 { Codec::Pcmu } else { Codec::Pcma };
                open(&mut orders, leg, codec, 20);
                orders.push(Order::Join { leg, conference, rights: Rights::FULL });
            }
        }
        (orders, legs)
    }
}

fn bank() -> SoundBank {
    SoundBank::new([(0..4_111).map(|n| ((n * 37) % 8_000) as i16).collect()])
}

/// The `n`-th packet of every peer.
fn packet(n: u64, payload_type: u8, bytes: &mut [u8; 172]) {
    bytes[..2].copy_from_slice(&[0x80, payload_type]);
    bytes[2..4].copy_from_slice(&(n as u16).to_be_bytes());
    bytes[4..8].copy_from_slice(&((n * 160) as u32).to_be_bytes());
    bytes[8..12].copy_from_slice(&77_u32.to_be_bytes());
    bytes[12..].fill(0x80 | (n % 64) as u8);
}

/// A telephone-event of the peer: the key changes every 8 packets.
fn key(n: u64, bytes: &mut [u8; 16]) {
    bytes[..2].copy_from_slice(&[0x80, 101]);
    bytes[2..4].copy_from_slice(&(n as u16).to_be_bytes());
    bytes[4..8].copy_from_slice(&((n / 8 * 8 * 160) as u32).to_be_bytes());
    bytes[8..12].copy_from_slice(&77_u32.to_be_bytes());
    let duration = (n % 8 + 1) * 160;
    bytes[12..].copy_from_slice(&[(n / 8 % 16) as u8, 10, (duration >> 8) as u8, duration as u8]);
}

fn shelf(name: &str) -> std::path::PathBuf {
    let data = std::env::temp_dir().join(format!("hotline-alloc-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(&data).unwrap();
    data
}

#[test]
fn relays_prompts_recordings_conferences_and_packets_of_every_length_allocate_nothing() {
    let _turn = TURN.lock().unwrap();
    const RECORDED: u64 = 100;
    let data = shelf("tick");
    let zone = jiff::tz::TimeZone::UTC;
    let recorder = RecorderConfig { data: data.clone(), zone, recordings_max: RECORDED as usize };
    let (recorder, mut decks) = Recorder::spawn(recorder, 1, Arc::new(|_| {})).unwrap();
    let mut deck = decks.pop().unwrap();
    let mut outbox = Outbox::default();
    let mut engine = Engine::new(bank(), Dice::seeded(1));
    let crowd = Crowd { relayed: 500, prompts: 200, recorded: RECORDED, turned: 100, conferences: 101 };
    let slots: Vec<PortSlot> = (0..1_932).map(PortSlot).collect();
    let (orders, legs) = crowd.orders(&slots, PEER);
    let begun = Now { mono: Instant::from_millis(1_000), wall: Timestamp::UNIX_EPOCH };
    let recorded = orders.iter().filter_map(|order| match order {
        Order::Record { call, .. } => Some(*call),
        _ => None,
    });
    let recorded: Vec<CallId> = recorded.collect();
    for order in orders {
        engine.handle_order(order, begun, &mut outbox, &mut deck);
    }
    // A disk that stands still: the recordings get all the chunks that they may ever have.
    let silence = [0; 160];
    for call in &recorded {
        while deck.frame(*call, &silence, &silence) {}
    }
    assert_eq!((engine.legs(), engine.recordings(), engine.conferences()), (1_932, 100, 101));

    let rooms: Vec<(ConferenceId, Vec<LegId>)> = (0..crowd.conferences).map(room).collect();
    let mut mono = begun.mono;
    let mut sent = 0;
    let mut keys = 0;
    // 20 ms of all: packets in, four ticks, packets out, and what a tick says.
    let mut round = |n: u64, deck: &mut hotline::io::recorder::Deck| {
        for (slot, payload_type) in &legs {
            let (mut sound, mut press) = ([0; 172], [0; 16]);
            packet(n, *payload_type, &mut sound);
            let mut bytes: &mut [u8] = &mut sound;
            // Each fiftieth leg presses keys in place of speaking.
            if slot.0 % 50 == 0 && n > 20 {
                key(n, &mut press);
                bytes = &mut press;
            }
            engine.handle_packet(SocketKey::rtp(*slot), PEER, bytes, mono, &mut outbox);
        }
        // Of one conference a member is muted, one goes and comes; another ends and begins anew.
        let [(conference, members), (ended, all)] = [n, n + 50].map(|n| &rooms[n as usize % rooms.len()]);
        let mut tell = |order| engine.handle_order(order, Now { mono, ..begun }, &mut outbox, deck);
        let rights = Rights { hears: true, heard_by: Audience::Only(members[2]) };
        tell(Order::Join { leg: members[0], conference: *conference, rights });
        tell(Order::Leave { leg: members[1] });
        all.iter().for_each(|leg| tell(Order::Leave { leg: *leg }));
        for phase in 1..=4 {
            mono += Duration::from_millis(5);
            deck.turn();
            if phase == 3 {
                let mut tell = |order| engine.handle_order(order, Now { mono, ..begun }, &mut outbox, deck);
                let rights = Rights::FULL;
                members[..2]
                    .iter()
                    .for_each(|leg| tell(Order::Join { leg: *leg, conference: *conference, rights }));
                all.iter().for_each(|leg| tell(Order::Join { leg: *leg, conference: *ended, rights }));
            }
            engine.tick(phase % 4, mono, &mut outbox, deck);
            sent += outbox.parcels().len();
            outbox.clear();
        }
        while let Some(fact) = engine.poll_output() {
            keys += u64::from(matches!(fact, Fact::Digit { .. }));
        }
    };
    for n in 0..100 {
        round(n, &mut deck);
    }
    for n in 100..400 {
        COUNTED.set(true);
        round(n, &mut deck);
        COUNTED.set(false);
    }
    assert_eq!(ALLOCATIONS.swap(0, Ordering::Relaxed), 0, "allocations and releases in 1,200 ticks");
    assert!(sent > 400 * 1_650, "and they did their work: {sent} packets");
    assert!(keys > 45 * 28, "{keys} keys");
    // The count itself works.
    COUNTED.set(true);
    drop(std::hint::black_box(Box::new(1)));
    COUNTED.set(false);
    assert_eq!(ALLOCATIONS.swap(0, Ordering::Relaxed), 2);
    deck.end(CallId::draw(0, &mut Dice::seeded(9)), 0);
    drop(deck);
    recorder.join();
    let _ = std::fs::remove_dir_all(&data);
}

/// 20 ms of a tone.
#[cfg(feature = "opus")]
fn opus_packet() -> Vec<u8> {
    use hotline::media::codec::opus::{Encoder, PACKET_BYTES_MAX};
    let sound: Vec<i16> = (0..320).map(|n| (n * 91 % 9_000) as i16).collect();
    let mut payload = vec![0; PACKET_BYTES_MAX];
    let length = Encoder::new().unwrap().encode(&sound, &mut payload);
    payload.truncate(length);
    payload
}

/// Bridges between all codecs, recorded or not, and prompts in each: their coders allocate when a leg
/// begins to hear, never in a tick. (What libopus keeps it allocates then too, by its own allocator.)
#[test]
fn codecs_with_a_state_allocate_nothing_once_they_are_there() {
    struct Shelf;
    impl Tape for Shelf {
        fn begin(&mut self, _: CallId, _: Timestamp) {}
        fn frame(&mut self, _: CallId, _: &[i16; 160], _: &[i16; 160]) -> bool {
            true
        }
        fn end(&mut self, _: CallId, _: u64) {}
    }
    let _turn = TURN.lock().unwrap();
    let mut codecs: Vec<(Codec, u8, Vec<u8>)> = Vec::new();
    codecs.push((Codec::Pcma, 8, vec![0x80; 160]));
    codecs.extend([
        (Codec::G722, 9, (0..160).collect()),
        (Codec::L16, 97, (0..320).map(|n| n as u8).collect()),
    ]);
    #[cfg(feature = "opus")]
    codecs.push((Codec::Opus, 111, opus_packet()));
    let mut dice = Dice::seeded(6);
    let mut engine = Engine::new(bank(), Dice::seeded(1));
    let mut outbox = Outbox::default();
    let begun = Now { mono: Instant::from_millis(1_000), wall: Timestamp::UNIX_EPOCH };
    let mut legs = vec![];
    let mut orders = vec![];
    for (n, (one, other)) in
        (0..codecs.len() * codecs.len() * 2).map(|n| (n, (n % codecs.len(), n / codecs.len() / 2)))
    {
        let call = CallId::draw(n as u64, &mut dice);
        for (index, codec) in [(0, one), (1, other)] {
            let slot = legs.len() as u32;
            let mut config = config(call, slot, codecs[codec].0, PEER);
            (config.payload_type, config.payload_type_in) = (codecs[codec].1, codecs[codec].1);
            config.packet_ms = if n % 3 == 0 { 30 } else { 20 };
            orders.push(Order::Open { leg: LegId { call, index }, config });
            legs.push(codec);
        }
        let [a, b] = [0, 1].map(|index| LegId { call, index });
        if n % 2 == 0 {
            orders.push(Order::Record { call, caller: a, begun: Timestamp::UNIX_EPOCH, tracks: false });
        }
        orders.push(Order::Bridge { a, b });
        if n % 5 == 0 {
            orders.push(Order::Play { leg: a, sounds: [SoundId(0)].into(), repeat: true, mark: 0 });
        }
    }
    for order in orders {
        engine.handle_order(order, begun, &mut outbox, &mut Shelf);
    }
    let (mut mono, mut sent) = (begun.mono, 0);
    let mut bytes = vec![0; 1_500];
    let mut round = |n: u64| {
        for (slot, codec) in legs.iter().enumerate() {
            let (codec, payload_type, payload) = &codecs[*codec];
            let packet = &mut bytes[..12 + payload.len()];
            packet[..2].copy_from_slice(&[0x80, *payload_type]);
            packet[2..4].copy_from_slice(&(n as u16).to_be_bytes());
            packet[4..8].copy_from_slice(&((n as u32) * codec.clock() / 50).to_be_bytes());
            packet[8..12].copy_from_slice(&77_u32.to_be_bytes());
            packet[12..].copy_from_slice(payload);
            // Some are lost.
            if n % 9 != 4 {
                let key = SocketKey::rtp(PortSlot(slot as u32));
                engine.handle_packet(key, PEER, packet, mono, &mut outbox);
            }
        }
        for phase in 1..=4 {
            mono += Duration::from_millis(5);
            engine.tick(phase % 4, mono, &mut outbox, &mut Shelf);
            sent += outbox.parcels().len();
            outbox.clear();
        }
        while engine.poll_output().is_some() {}
    };
    (0..100).for_each(&mut round);
    for n in 100..200 {
        COUNTED.set(true);
        round(n);
        COUNTED.set(false);
    }
    assert_eq!(ALLOCATIONS.swap(0, Ordering::Relaxed), 0, "allocations and releases in 400 ticks");
    assert!(sent > 200 * legs.len() / 2, "and they did their work: {sent} packets for {} legs", legs.len());
}

/// The media thread with its shell: what the kernel brings in and takes out as well.
fn a_thread_allocates_nothing(shell: ShellChoice, first_port: u16) {
    let _turn = TURN.lock().unwrap();
    raise_file_limit().unwrap();
    let data = shelf(&format!("{shell:?}"));
    let zone = jiff::tz::TimeZone::UTC;
    let mut media = MediaHandle::spawn(MediaConfig {
        bind: Ipv4Addr::LOCALHOST.into(),
        ports: (first_port, first_port + 2_999),
        shell,
        shards: 1,
        orders_ring: 4_096,
        bank: bank(),
        dice: Dice::seeded(2),
        clock: Clock::system(),
        recorder: RecorderConfig { data: data.clone(), zone, recordings_max: 1 },
        // The media thread wakes us when it has told something pressing; from then on it is counted.
        wake: Arc::new(|| {
            if std::thread::current().name().is_some_and(|name| name.starts_with("media-")) {
                COUNTED.set(true);
            }
        }),
    })
    .expect("set HOTLINE_NO_URING where the kernel forbids io_uring");
    let slots = media.open_ports(1_000);
    assert_eq!(slots.len(), 1_000);
    let beside = media.open_ports(1)[0];
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let crowd = Crowd { relayed: 260, prompts: 200, recorded: 0, turned: 50, conferences: 50 };
    let (orders, legs) = crowd.orders(&slots, peer.local_addr().unwrap());
    media.send_many(orders);
    // One prompt comes to its end, and that is pressing.
    let leg = LegId::caller(CallId::draw(1, &mut Dice::seeded(77)));
    media.send(Order::Open { leg, config: config(leg.call, beside.0, Codec::Pcma, PEER) });
    media.send(Order::Play { leg, sounds: [SoundId(0)].into(), repeat: false, mark: 1 });
    let figures = Arc::clone(media.figures());
    let (_never, nap) = channel::<()>();
    let began = SystemInstant::now();
    let mut speak = |n: u64| {
        let mut bytes = [0; 172];
        for (slot, payload_type) in &legs {
            packet(n, *payload_type, &mut bytes);
            let _ = peer.send_to(&bytes, (Ipv4Addr::LOCALHOST, media.port(*slot)));
        }
        let due = Duration::from_millis(20 * (n + 1));
        let _ = nap.recv_timeout(due.saturating_sub(began.elapsed()));
        while media.poll().is_some() {}
    };
    // Buffers find their size, sources are latched, and the thread knows that it is counted.
    (0..100).for_each(&mut speak);
    ALLOCATIONS.store(0, Ordering::Relaxed);
    let before = [&figures.received, &figures.sent].map(|figure| figure.load(Ordering::Relaxed));
    (100..200).for_each(&mut speak);
    let allocations = ALLOCATIONS.swap(0, Ordering::Relaxed);
    let after = [&figures.received, &figures.sent].map(|figure| figure.load(Ordering::Relaxed));
    assert_eq!(allocations, 0, "allocations and releases in {} ticks", figures.ticks.load(Ordering::Relaxed));
    let moved = [after[0] - before[0], after[1] - before[1]];
    assert!(moved.iter().all(|count| *count > 1_000), "it did its work: {moved:?}");
    // An order may allocate, and is counted: the flag stands in the right thread.
    media.send(Order::Close { leg });
    media.stop();
    assert!(ALLOCATIONS.swap(0, Ordering::Relaxed) > 0);
    let _ = std::fs::remove_dir_all(&data);
}

#[test]
fn a_thousand_legs_on_real_sockets_allocate_nothing_by_io_uring() {
    if std::env::var_os("HOTLINE_NO_URING").is_none() {
        a_thread_allocates_nothing(ShellChoice::Uring, 10_000);
    }
}

#[test]
fn a_thousand_legs_on_real_sockets_allocate_nothing_by_epoll() {
    a_thread_allocates_nothing(ShellChoice::Epoll, 16_000);
}

#[test]
fn ciphered_legs_and_those_with_keys_as_tones_allocate_nothing() {
    let _turn = TURN.lock().unwrap();
    const CALLS: u64 = 50;
    let suites = [
        SrtpSuite::AesCm128HmacSha1_80,
        SrtpSuite::AesCm128HmacSha1_32,
        SrtpSuite::AeadAes128Gcm,
        SrtpSuite::AeadAes256Gcm,
    ];
    let mut outbox = Outbox::default();
    let mut engine = Engine::new(bank(), Dice::seeded(1));
    let mut dice = Dice::seeded(4);
    let mut begun = Now { mono: Instant::from_millis(1_000), wall: Timestamp::UNIX_EPOCH };
    let mut legs = Vec::new();
    let (mut told, mut keys) = (0, 0);
    // Relays between two suites and to plain legs, bridges of two codecs, prompts.
    for n in 0..CALLS {
        let call = CallId::draw(1_700_000_000_000 + n, &mut dice);
        let [a, b] = [0, 1].map(|index| LegId { call, index });
        for leg in [a, b] {
            let codec = if n % 3 == 1 && leg == b { Codec::Pcmu } else { Codec::Pcma };
            let mut config = config(call, legs.len() as u32, codec, PEER);
            config.packet_ms = if n % 5 == 4 { 30 } else { 20 };
            // Events of its partner are pressed on it as tones, and its own sound is searched for them.
            config.dtmf = config.dtmf.filter(|_| leg == a);
            let suite = suites[(n as usize + usize::from(leg.index)) % 4];
            let [ours, theirs] = [1, 2].map(|seed| Master([seed; MASTER_MAX]));
            let srtp = Srtp { suite, ours: ours.clone(), theirs: theirs.clone() };
            let ciphered = n % 2 == 0 || leg == a;
            config.srtp = ciphered.then(|| Box::new(srtp));
            let peer = ciphered.then(|| Cipher::new(&Srtp { suite, ours: theirs, theirs: ours }));
            legs.push((config.slot, config.payload_type, peer));
            engine.handle_order(Order::Open { leg, config }, begun, &mut outbox, &mut Nowhere);
        }
        let order = match n % 3 {
            2 => Order::Play { leg: a, sounds: [SoundId(0)].into(), repeat: true, mark: 0 },
            _ => Order::Bridge { a, b },
        };
        engine.handle_order(order, begun, &mut outbox, &mut Nowhere);
    }
    let mut sent = 0;
    for n in 0..700 {
        COUNTED.set(n >= 100);
        for (slot, payload_type, peer) in &mut legs {
            let (mut sound, mut sealed) = ([0; 172], [0; 172 + TAIL_MAX]);
            packet(n, *payload_type, &mut sound);
            sealed[..172].copy_from_slice(&sound);
            let mut length = 172;
            if slot.0 % 10 == 0 && n % 64 < 8 {
                let mut press = [0; 16];
                key(n, &mut press);
                sealed[..16].copy_from_slice(&press);
                length = 16;
            }
            if let Some(peer) = peer {
                length = peer.seal_rtp(&mut sealed, length).unwrap_or(0);
            }
            let key = SocketKey::rtp(*slot);
            engine.handle_packet(key, PEER, &mut sealed[..length], begun.mono, &mut outbox);
            // Forged, and heard before.
            sealed[15] ^= u8::from(n % 2 == 0);
            engine.handle_packet(key, PEER, &mut sealed[..length], begun.mono, &mut outbox);
        }
        for phase in 1..=4 {
            begun.mono += Duration::from_millis(5);
            engine.tick(phase % 4, begun.mono, &mut outbox, &mut Nowhere);
            sent += outbox.parcels().len();
            told += outbox.parcels().iter().filter(|parcel| outbox.bytes(parcel)[1] == 200).count();
            outbox.clear();
        }
        while let Some(fact) = engine.poll_output() {
            keys += usize::from(matches!(fact, Fact::Digit { .. }));
        }
    }
    COUNTED.set(false);
    assert_eq!(ALLOCATIONS.swap(0, Ordering::Relaxed), 0, "allocations and releases in 2,400 ticks");
    assert!(keys >= 10 * 10, "keys were pressed: {keys}");
    assert!(sent > 700 * 75, "and they did their work: {sent} packets");
    assert!(told > 100, "reports among them: {told}");
}

/// No recording runs.
struct Nowhere;

impl Tape for Nowhere {
    fn begin(&mut self, _: CallId, _: Timestamp) {}
    fn frame(&mut self, _: CallId, _: &hotline::media::Frame, _: &hotline::media::Frame) -> bool {
        false
    }
    fn end(&mut self, _: CallId, _: u64) {}
}
