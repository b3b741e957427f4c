//! The house in the city: a real switchboard and a real media engine, with the city's network, disk
//! and ticket office where `io` has sockets, SQLite and HTTP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hotline::id::{CallId, Dice, PromptId, SeatId, TrunkId};
use hotline::io::plan_files;
use hotline::media::order::{PortSlot, SoundId};
use hotline::media::{Fact, SoundBank};
use hotline::routing::plan::SinkKind;
use hotline::routing::{Overrides, Plan};
use hotline::sip::digest::{Algorithm, ha1};
use hotline::sip::event::{ListenerConfig, SeatAccount};
use hotline::sip::{self};
use hotline::switchboard::{Input, Output, Setup, Switchboard};
use hotline::tickets::event::{EventRef, Outcome};
use hotline::time::{Now, Timestamp};

use crate::city::City;
use crate::desk::Disk;
use crate::network::{Kind, Letter, name};

/// How long the disk's readers take for what is owed.
const LOOK_UP: Duration = Duration::from_millis(2);
/// How long a recording takes to be whole on disk.
const REEL: Duration = Duration::from_millis(30);

/// Something that the world outside is about to say to the house.
#[derive(Debug)]
pub enum Errand {
    Tell(Box<Input>),
    Commit { token: u64 },
    Load { sink: usize, after: Option<EventRef>, most: usize },
    LookUp { call: CallId, caller: String, since: Timestamp },
    Deliver { sink: usize, event: EventRef, outcome: Outcome },
}

struct Shipped {
    plan: Plan,
    bank: SoundBank,
    ids: Vec<(PromptId, SoundId)>,
}

/// The shipped plan and its sounds, read once for all cities.
fn shipped() -> &'static Shipped {
    static SHIPPED: OnceLock<Shipped> = OnceLock::new();
    SHIPPED.get_or_init(|| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
        let outcome = plan_files::load(&path, &Overrides::default());
        let plan = outcome.plan.unwrap_or_else(|| panic!("{}", outcome.report.render(false)));
        let bank = SoundBank::new(plan.prompts.values().map(|prompt| prompt.samples.clone()));
        let ids = plan.prompts.keys().cloned().zip((0..).map(SoundId)).collect();
        Shipped { plan, bank, ids }
    })
}

/// The city's plan: the shipped one, with an office outside of the house, and what was decided otherwise.
pub fn plan(decided: &impl Fn(&mut Plan)) -> Plan {
    let mut plan = shipped().plan.clone();
    plan.sinks[0].kind = SinkKind::Jsonl { path: "tickets.jsonl".into() };
    decided(&mut plan);
    plan
}

pub fn bank() -> SoundBank {
    shipped().bank.clone()
}

pub fn password(seat: &SeatId) -> String {
    format!("word of {seat}")
}

pub fn accounts(plan: &Plan) -> Vec<SeatAccount> {
    let account = |seat: &SeatId| {
        let (password, realm) = (password(seat), plan.network.domain.as_bytes());
        let digest = |algorithm| ha1(algorithm, seat.as_str().as_bytes(), realm, password.as_bytes());
        SeatAccount {
            seat: seat.clone(),
            ha1_md5: digest(Algorithm::Md5),
            ha1_sha256: digest(Algorithm::Sha256),
        }
    };
    plan.seats.keys().map(account).collect()
}

/// The passwords of our accounts at trunks.
pub fn words(plan: &Plan) -> BTreeMap<TrunkId, secrecy::SecretString> {
    let word = |trunk: &TrunkId| (trunk.clone(), format!("word of {trunk}").into());
    plan.trunks.values().filter(|trunk| trunk.account.is_some()).map(|trunk| word(&trunk.id)).collect()
}

pub fn sounds() -> Vec<(PromptId, SoundId)> {
    shipped().ids.clone()
}

pub fn open(plan: Plan, address: SocketAddr, dice: Dice, now: Now) -> Switchboard {
    open_over(hotline::sip::Transport::Udp, plan, address, dice, now)
}

/// The same, its one listener speaking this.
pub fn open_over(
    transport: hotline::sip::Transport,
    plan: Plan,
    address: SocketAddr,
    dice: Dice,
    now: Now,
) -> Switchboard {
    let setup = Setup {
        accounts: accounts(&plan),
        trunk_passwords: words(&plan),
        plan: Arc::new(plan),
        sounds: sounds(),
        listeners: vec![ListenerConfig { transport, bind: address, advertise: address.ip() }],
        dice,
        node: "node-1".into(),
        shifted_clock: true,
        last_ticket: None,
        last_house: 0,
    };
    Switchboard::new(setup, now)
}

impl City {
    /// Says something to the house, and carries out what it wants.
    pub fn tell(&mut self, input: Input) {
        let now = self.now();
        self.board.handle_input(input, now);
        self.dispatch();
    }

    /// The house's own time has come.
    pub(crate) fn wake_house(&mut self) {
        let now = self.now();
        self.board.handle_timeout(now);
        self.dispatch();
    }

    /// As `io::house::control` does, with the city for a world.
    pub(crate) fn dispatch(&mut self) {
        self.looked_at = false;
        while let Some(output) = self.board.poll_output() {
            match output {
                Output::Packet(packet) => {
                    let bytes = packet.bytes.to_vec();
                    let letter = Letter { kind: Kind::Sip, from: self.address, to: packet.peer, bytes };
                    self.net.post(letter, self.mono);
                }
                Output::Sound(order) => self.sound.order(order, self.mono),
                Output::OpenPorts(count) => {
                    let slots = (self.pairs..self.pairs + count).map(PortSlot).collect();
                    self.pairs += count;
                    let now = self.now();
                    self.board.handle_input(Input::PortsOpened(slots), now);
                }
                Output::Store { token, jobs } => {
                    self.store.waiting.push_back((token, jobs));
                    match self.store.disk {
                        Disk::Takes(span) => self.errand(span, Errand::Commit { token }),
                        Disk::Fails => {
                            let failed = Errand::Tell(Box::new(Input::StoreFailed { token }));
                            self.errand(Duration::from_millis(1), failed);
                        }
                    }
                }
                Output::Deliver { sink, event, timeout, .. } => {
                    let (span, outcome) = self.books.deliver(&event, timeout, self.mono);
                    self.errand(span, Errand::Deliver { sink, event: event.event, outcome });
                }
                Output::LoadOutbox { sink, after, most } => {
                    self.errand(LOOK_UP, Errand::Load { sink, after, most });
                }
                Output::LookUpHistory { call, caller, since } => {
                    self.errand(self.store.look_up, Errand::LookUp { call, caller, since });
                }
                Output::LookUp { call, asked, source, by } => {
                    if let Some((span, said)) = self.adapters.answer(source, by, &self.books) {
                        self.errand(span, Errand::Tell(Box::new(Input::LookedUp { call, asked, said })));
                    }
                }
                Output::TalkWithBot { call, talk, .. } => {
                    let dice = self.dice.below(u64::MAX);
                    for (span, said) in self.adapters.bot.says(dice) {
                        self.errand(span, Errand::Tell(Box::new(Input::Bot { call, talk, said })));
                    }
                }
                Output::TellBot { digit, .. } => self.adapters.bot.keys.push(digit),
                Output::LeaveBot { end, .. } => self.adapters.bot.left.push(end),
                Output::OnWire { .. } => {} // For traces, which stand on real sockets.
                Output::Drained => self.drained_at = Some(self.mono),
            }
        }
        self.house_due = self.board.poll_timeout();
    }

    pub(crate) fn run_errand(&mut self, errand: Errand) {
        let input = match errand {
            Errand::Tell(input) => *input,
            // What failed meanwhile waits until the disk is mended.
            Errand::Commit { .. } if self.store.disk == Disk::Fails => return,
            Errand::Commit { token } => {
                // Feeds are owed by the real store only: it knows what falls to them.
                let sinks = self.board.outboxes().iter().take(self.plan.sinks.len());
                let embedded: Vec<bool> = sinks.map(Option::is_none).collect();
                self.store.commit(token, &embedded);
                self.books.taken.append(&mut self.store.folded);
                Input::Stored { token }
            }
            Errand::Load { sink, after, most } => {
                Input::RestoreOutbox { sink, events: self.store.owed(sink, after, most) }
            }
            Errand::LookUp { call, caller, since } => Input::History {
                call,
                entries: self.store.history(&caller, call),
                earlier: self.store.earlier(&caller, call, since),
            },
            Errand::Deliver { sink, event, outcome } => Input::Delivered { sink, event, outcome },
        };
        self.tell(input);
    }

    /// A SIP datagram for the house.
    pub(crate) fn ring_house(&mut self, letter: Letter) {
        if name(&letter.bytes) == "INVITE" {
            let call_id = crate::network::header(&letter.bytes, "Call-ID: ");
            self.rang.entry(letter.from).or_default().insert(call_id);
        }
        let packet = sip::Packet { listener: 0, peer: letter.from, bytes: letter.bytes.into() };
        self.tell(Input::Packet(packet));
    }

    /// One tick of the media thread, and the facts that come of it.
    pub(crate) fn tick(&mut self) {
        let ticked = self.sound.turn(self.now());
        for (from, to, bytes) in ticked.sent {
            self.net.post(Letter { kind: Kind::Sound, from, to, bytes }, self.mono);
        }
        for (call, samples, lost_frames) in ticked.recorded {
            let file = format!("recordings/{call}.wav");
            let fact = Fact::Recorded { call, file, samples, lost_frames };
            self.errand(REEL, Errand::Tell(Box::new(Input::Sound(fact))));
        }
        for fact in ticked.facts {
            self.tell(Input::Sound(fact));
        }
    }
}
