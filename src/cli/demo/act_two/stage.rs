//! One scene as it is played: its call, who is on it, the step that is under way, and what each hears.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::super::cast::{Clerk, Desk};
use super::super::hear;
use super::programme;
use super::scenes::{BUSY, Order, Role, Scene, Step, Target, Until};
use crate::id::CallId;
use crate::io::packets::{Mover, PartyKey};
use crate::phone::{Dial, Phone, PhoneState};
use crate::routing::Plan;
use crate::routing::plan::LineMode;
use crate::time::Instant;

/// Looks in a row in which everybody must hear just whom they should: a second and a half, so that a whole
/// second of each voice is on the recording, and more of the music than is looked for.
const LOOKS: u32 = 7;
/// A step is through by then, or the scene is at its end.
const STEP_MAX: Duration = Duration::from_secs(45);
/// So much of a question is heard before it is answered.
const ASKED: Duration = Duration::from_millis(2_500);
/// A caller whom nobody took is told so before the next clerk's hand is at the telephone.
const SECOND_REACH: Duration = Duration::from_secs(3);
/// Any other clerk's.
const REACH: Duration = Duration::from_millis(500);

/// Telephones, and what they are told.
pub type Phones = Mover<Phone>;

/// A scene under way.
pub struct Stage {
    /// What is played.
    pub scene: Scene,
    /// The citizen's number.
    pub number: String,
    /// The citizen's voice, hertz.
    pub voice: u32,
    /// The citizen's telephone, once the call is begun.
    pub phone: Option<PartyKey>,
    /// Places of those among the clerks who may be asked in.
    pub targets: Vec<usize>,
    /// Who has which part, by place among the clerks.
    pub cast: BTreeMap<Role, usize>,
    /// The engine's name for the call.
    pub call: Option<CallId>,
    /// Of what the citizen heard, where there must be music.
    pub music: Option<Range<usize>>,
    /// What went wrong.
    pub faults: Vec<String>,
    /// Lines to be shown.
    pub lines: Vec<String>,
    /// The call is over.
    pub ended: bool,
    at: usize,
    /// Since when the step is under way.
    since: Option<Instant>,
    rang: bool,
    good: u32,
    lengths: BTreeMap<Role, usize>,
    heard_from: usize,
}

impl Stage {
    /// Nobody has dialled yet.
    pub fn new(plan: &Plan, scene: Scene, number: String, voice: u32, clerks: &[Clerk]) -> Self {
        let is_target = |clerk: &Clerk| match (&scene.target, &clerk.desk) {
            (Target::Seats(seats), Desk::Seat(seat)) => seats.contains(seat),
            (Target::SubCenter(line), Desk::SubCenter(trunk)) => {
                let mode = plan.lines.get(line).map(|line| &line.mode);
                matches!(mode, Some(LineMode::SubCenter { peer, .. }) if peer.trunk == *trunk)
            }
            _ => false,
        };
        let targets =
            clerks.iter().enumerate().filter(|(_, clerk)| is_target(clerk)).map(|(place, _)| place).collect();
        Stage {
            scene,
            number,
            voice,
            phone: None,
            targets,
            cast: BTreeMap::new(),
            call: None,
            music: None,
            faults: Vec::new(),
            lines: Vec::new(),
            ended: false,
            at: 0,
            since: None,
            rang: false,
            good: 0,
            lengths: BTreeMap::new(),
            heard_from: 0,
        }
    }

    /// All steps are through, or the scene was broken off.
    fn is_played(&self) -> bool {
        self.at >= self.scene.steps.len()
    }

    /// It is played, and the call is over.
    pub fn is_over(&self) -> bool {
        self.ended && (self.phone.is_none() || self.is_played())
    }

    /// The citizen has dialled, and the scene is not at its end.
    pub fn is_under_way(&self) -> bool {
        self.phone.is_some() && !self.is_over()
    }

    fn step(&self) -> Option<&Step> {
        self.scene.steps.get(self.at)
    }

    /// A telephone rings for this scene's citizen. `None`: it is not the one that should ring.
    pub fn rings(&mut self, place: usize, call: Option<CallId>) -> Option<Answer> {
        let role = self.step()?.rings?;
        if (role == Role::Third) != self.targets.contains(&place) {
            return None;
        }
        self.cast.insert(role, place);
        self.call = self.call.or(call);
        self.rang = true;
        Some(match (role, &self.step()?.until) {
            (_, Until::Rings) => Answer::Never,
            (Role::Second, _) => Answer::After(SECOND_REACH),
            _ => Answer::After(REACH),
        })
    }

    /// Does what the step begins with, and looks whether it is through. `look`: it is time to listen.
    pub fn go_on(&mut self, mover: &mut Phones, clerks: &[Clerk], look: bool) {
        let now = mover.now().mono;
        let Some(step) = self.step().cloned() else { return };
        let Some(since) = self.since else { return self.begin(&step, mover, clerks, now) };
        if self.is_through(&step, mover, clerks, look, now) {
            if let Until::Hear { who, .. } = &step.until
                && who.iter().any(|(role, heard)| *role == Role::Citizen && heard.is_empty())
            {
                self.music = Some(self.heard_from..self.heard_by_citizen(mover));
            }
            self.lines.push(programme::step(&step, &self.cells(&step, clerks), now.since(since), true));
            (self.at, self.since) = (self.at + 1, None);
        } else if self.ended && step.until != Until::Over {
            self.fail(&step, mover, clerks, "通话提前结束 / the call ended too early");
        } else if now >= since + STEP_MAX {
            self.fail(&step, mover, clerks, "没有等到 / did not come about");
        }
    }

    fn begin(&mut self, step: &Step, mover: &mut Phones, clerks: &[Clerk], now: Instant) {
        self.since = Some(now);
        (self.good, self.rang) = (0, false);
        self.heard_from = self.heard_by_citizen(mover);
        let phone = |role| self.phone_of(role, clerks);
        let (number, keys) = (self.number.as_str(), step.keys.as_str());
        match step.order {
            Order::Dial => {
                let dialled = phone(Role::Citizen)
                    .map(|phone| mover.order(phone, |phone, now| phone.dial(Dial::to(keys), now)));
                if let Some(Err(error)) = dialled {
                    self.faults.push(format!("{number}: {error}"));
                }
            }
            Order::Press(role) => {
                phone(role).into_iter().for_each(|at| mover.order(at, |phone, now| phone.press(keys, now)));
            }
            Order::HangUp(role) => {
                phone(role).into_iter().for_each(|at| mover.order(at, Phone::hang_up));
            }
            Order::Refuse(role) => {
                phone(role).into_iter().for_each(|at| mover.order(at, |phone, now| phone.reject(BUSY, now)));
            }
        }
    }

    fn is_through(
        &mut self,
        step: &Step,
        mover: &Phones,
        clerks: &[Clerk],
        look: bool,
        now: Instant,
    ) -> bool {
        let gone = |role: Role| {
            self.phone_of(role, clerks).is_none_or(|phone| mover.party(phone).state() == PhoneState::Idle)
        };
        match &step.until {
            Until::Rings => self.rang,
            Until::Gone(role) => gone(*role),
            Until::Asked => self.since.is_some_and(|since| now >= since + ASKED),
            Until::Over => self.ended,
            Until::Hear { who, gone: left } => {
                if look {
                    let left = left.is_none_or(gone);
                    let all = who.iter().all(|(role, whom)| self.hears(*role, whom, mover, clerks));
                    self.good = if left && all { self.good + 1 } else { 0 };
                }
                self.good >= LOOKS
            }
        }
    }

    /// Whether there is new sound at this one's telephone, with just these voices in it.
    fn hears(&self, role: Role, whom: &[Role], mover: &Phones, clerks: &[Clerk]) -> bool {
        let Some(phone) = self.phone_of(role, clerks) else { return false };
        let heard = mover.party(phone).heard();
        let stretch = &heard[heard.len().saturating_sub(hear::LOOK)..];
        let is_new = self.lengths.get(&role).is_none_or(|before| *before != heard.len());
        let wanted: Vec<Option<u32>> = whom.iter().map(|whom| self.voice_of(*whom, clerks)).collect();
        // Music may have the tone of one's own voice in it; nobody would mistake that for an echo.
        let own = Some(self.voice).filter(|_| !whom.is_empty());
        let mut everybody = own.into_iter().chain(clerks.iter().map(|clerk| clerk.voice));
        is_new
            && wanted.iter().all(Option::is_some)
            && everybody.all(|voice| hear::is_there(voice, stretch) == wanted.contains(&Some(voice)))
    }

    /// Remembers how much each has heard, so that no sound is looked at twice.
    pub fn looked(&mut self, mover: &Phones, clerks: &[Clerk]) {
        for role in [Role::Citizen, Role::Clerk, Role::Third, Role::Second] {
            if let Some(phone) = self.phone_of(role, clerks) {
                self.lengths.insert(role, mover.party(phone).heard().len());
            }
        }
    }

    fn fail(&mut self, step: &Step, mover: &mut Phones, clerks: &[Clerk], why: &str) {
        let name = step.name;
        self.faults.push(format!("{name}: {why}{}", self.instead(mover, clerks)));
        self.lines.push(programme::step(step, &self.cells(step, clerks), Duration::ZERO, false));
        self.at = self.scene.steps.len();
        match self.phone.filter(|_| !self.ended) {
            Some(phone) => mover.order(phone, Phone::hang_up),
            None => self.ended = true,
        }
    }

    /// What is heard in place of what should be, for who has to find out why.
    fn instead(&self, mover: &Phones, clerks: &[Clerk]) -> String {
        let mut words = String::new();
        for role in [Role::Citizen, Role::Clerk, Role::Third, Role::Second] {
            let Some(phone) = self.phone_of(role, clerks) else { continue };
            let heard = mover.party(phone).heard();
            let stretch = &heard[heard.len().saturating_sub(hear::LOOK)..];
            let voices = std::iter::once(self.voice).chain(clerks.iter().map(|clerk| clerk.voice));
            let there: Vec<u32> = voices.filter(|voice| hear::is_there(*voice, stretch)).collect();
            words += &format!("; {role:?} {:?} {there:?}", mover.party(phone).state());
        }
        words
    }

    fn heard_by_citizen(&self, mover: &Phones) -> usize {
        self.phone.map_or(0, |phone| mover.party(phone).heard().len())
    }

    /// Whose telephone this is.
    pub fn phone_of(&self, role: Role, clerks: &[Clerk]) -> Option<PartyKey> {
        match role {
            Role::Citizen => self.phone,
            _ => self.cast.get(&role).and_then(|place| clerks.get(*place)).map(|clerk| clerk.phone),
        }
    }

    /// With which voice they speak, hertz.
    pub fn voice_of(&self, role: Role, clerks: &[Clerk]) -> Option<u32> {
        match role {
            Role::Citizen => Some(self.voice),
            _ => self.cast.get(&role).and_then(|place| clerks.get(*place)).map(|clerk| clerk.voice),
        }
    }

    /// Who hears whom, for the table.
    fn cells(&self, step: &Step, clerks: &[Clerk]) -> Vec<String> {
        let Until::Hear { who, .. } = &step.until else { return Vec::new() };
        let hears = |(role, whom): &(Role, Vec<Role>)| {
            let voices = whom.iter().map(|whom| {
                self.voice_of(*whom, clerks).map_or_else(|| "?".to_owned(), |hertz| hertz.to_string())
            });
            programme::hears(*role, &self.scene.target, &voices.collect::<Vec<_>>())
        };
        who.iter().map(hears).collect()
    }
}

/// How long a telephone rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Until somebody reaches it.
    After(Duration),
    /// Nobody does.
    Never,
}
