//! The second act: calls in which a third party is asked in, or is not to be had. Its scenes are played at
//! once, and shown one after another.

mod books;
mod programme;
mod proof;
mod scenes;
mod stage;

use std::time::Duration;

use super::cast::{CALLERS_FROM, Clerk, Desk, voice};
use super::closing::{Closings, Step};
use super::show::{Broken, REGISTER_MAX, Show};
use crate::id::CallId;
use crate::io::packets::PartyKey;
use crate::phone::{Answers, Phone, PhoneEvent, PhoneState};
use crate::time::{Agenda, Instant, Timestamp};
use proof::Verdict;
use scenes::BUSY;
use stage::{Answer, Stage};

/// Between two scenes' calls, so that each finds its clerk.
const PACE: Duration = Duration::from_millis(1_500);
/// Clerks for all scenes at once: one each, and another for the caller whom nobody took.
const MANY: usize = 4;
/// Between two looks at what is heard.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What came of the act.
pub struct Outcome {
    /// Calls that were made.
    pub calls: usize,
    /// Scenes in which something was missing.
    pub faulty: usize,
}

/// Plays all scenes that the plan gives at this hour.
pub fn play(show: &mut Show<'_>, at: Timestamp) -> Result<Outcome, Broken> {
    let (scenes, left_out) = scenes::scenes(show.plan, at);
    programme::heading(&left_out);
    let mut act = Act::new(show, scenes);
    act.everybody_is_ready()?;
    act.run()?;
    Ok(Outcome { calls: act.stages.len(), faulty: act.faulty })
}

struct Act<'s, 'a> {
    show: &'s mut Show<'a>,
    stages: Vec<Stage>,
    closings: Closings<Verdict>,
    /// Clerks whose hands are on the way to their telephones.
    answers: Agenda<usize>,
    dial_at: Instant,
    look_at: Instant,
    /// Enough clerks for all scenes at once.
    many: bool,
    faulty: usize,
}

impl<'s, 'a> Act<'s, 'a> {
    fn new(show: &'s mut Show<'a>, scenes: Vec<scenes::Scene>) -> Self {
        let already = show.callers.len() as u32;
        let stages: Vec<Stage> = (already..)
            .zip(scenes)
            .map(|(place, scene)| {
                let number = format!("138{:08}", 1_000 + place);
                Stage::new(show.plan, scene, number, voice(CALLERS_FROM, place), &show.clerks)
            })
            .collect();
        let now = show.mover.now().mono;
        let asked: Vec<usize> = stages.iter().flat_map(|stage| stage.targets.clone()).collect();
        let takes_callers = |(place, clerk): &(usize, &Clerk)| match &clerk.desk {
            Desk::Seat(seat) => {
                let seat = show.plan.seats.get(seat);
                !asked.contains(place) && seat.is_some_and(|seat| !seat.queues.is_empty())
            }
            Desk::SubCenter(_) => false,
        };
        let many = show.clerks.iter().enumerate().filter(takes_callers).count() >= MANY;
        Act {
            show,
            closings: Closings::of(stages.len()),
            stages,
            answers: Agenda::default(),
            dial_at: now,
            look_at: now,
            many,
            faulty: 0,
        }
    }

    /// Everybody's telephone is on the hook and registered. Experts sign in once more: the longest idle is
    /// rung first, and they are to be free when they are asked.
    fn everybody_is_ready(&mut self) -> Result<(), Broken> {
        let phones: Vec<PartyKey> = self.show.clerks.iter().map(|clerk| clerk.phone).collect();
        for phone in phones {
            self.show.mover.order(phone, |phone, _| phone.set_answers(Answers::Manual));
        }
        self.until_ready()?;
        let experts: Vec<usize> = self.stages.iter().flat_map(|stage| stage.targets.clone()).collect();
        for place in experts {
            self.sign_in_again(place);
        }
        self.until_ready()
    }

    fn sign_in_again(&mut self, place: usize) {
        let clerk = &mut self.show.clerks[place];
        if let Desk::Seat(_) = clerk.desk {
            clerk.registered = false;
            self.show.mover.order(clerk.phone, Phone::unregister);
        }
    }

    fn until_ready(&mut self) -> Result<(), Broken> {
        let bound = self.show.mover.now().mono + REGISTER_MAX;
        loop {
            let mover = &self.show.mover;
            let is_ready = |clerk: &&Clerk| {
                let phone = mover.party(clerk.phone);
                let there = matches!(clerk.desk, Desk::SubCenter(_)) || phone.is_registered();
                clerk.registered && there && phone.state() == PhoneState::Idle
            };
            let absent: Vec<String> = self
                .show
                .clerks
                .iter()
                .filter(|clerk| !is_ready(clerk))
                .map(|clerk| format!("{:?}", clerk.desk))
                .collect();
            if absent.is_empty() {
                return Ok(());
            }
            if mover.now().mono >= bound {
                return Err(Broken::NotRegistered(absent.join(", ")));
            }
            self.turn()?;
        }
    }

    fn run(&mut self) -> Result<(), Broken> {
        while !self.closings.are_done() {
            self.turn()?;
            self.begin_next();
            while let Some(place) = self.answers.take_due(self.show.mover.now().mono) {
                self.show.mover.order(self.show.clerks[place].phone, Phone::answer);
            }
            self.go_on();
            for place in 0..self.stages.len() {
                self.close_books(place)?;
            }
            let stages = &self.stages;
            self.closings.show(|place| &stages[place].lines);
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<(), Broken> {
        for (phone, event) in self.show.events()? {
            if let Some(place) = self.show.clerks.iter().position(|clerk| clerk.phone == phone) {
                self.clerk_told(place, event);
            } else if let Some(place) = self.stages.iter().position(|stage| stage.phone == Some(phone)) {
                self.citizen_told(place, phone, event);
            }
        }
        Ok(())
    }

    fn clerk_told(&mut self, place: usize, event: PhoneEvent) {
        let PhoneEvent::IncomingCall { from, headers, .. } = event else {
            return self.show.clerk_told(place, event);
        };
        let call = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("X-Hotline-Call"));
        let call = call.and_then(|(_, text)| CallId::parse(text.trim()));
        let now = self.show.mover.now().mono;
        let stage = self.stages.iter().position(|stage| from.contains(&stage.number));
        let stage = stage.filter(|stage| !self.is_kept_for_another(place, *stage));
        match stage.and_then(|stage| self.stages[stage].rings(place, call)) {
            Some(Answer::After(reach)) => self.answers.set(&place, Some(now + reach)),
            Some(Answer::Never) => {}
            None => {
                // Whoever is to be asked by another scene's clerk is free again at once.
                let phone = self.show.clerks[place].phone;
                self.show.mover.order(phone, |phone, now| phone.reject(BUSY, now));
                self.sign_in_again(place);
            }
        }
    }

    /// Experts are not to talk with callers while a scene is to ask for them. Centers have no callers of
    /// their own here, and scenes that ask the same one come one after another.
    fn is_kept_for_another(&self, place: usize, scene: usize) -> bool {
        if let Desk::SubCenter(_) = self.show.clerks[place].desk {
            return false;
        }
        let others = self.stages.iter().enumerate().filter(|(other, _)| *other != scene);
        others.map(|(_, stage)| stage).any(|stage| !stage.is_over() && stage.targets.contains(&place))
    }

    fn citizen_told(&mut self, place: usize, phone: PartyKey, event: PhoneEvent) {
        let stage = &mut self.stages[place];
        match event {
            PhoneEvent::Answered => {
                let voice = crate::cli::sounds::tone(stage.voice);
                self.show.mover.order(phone, |phone, now| phone.play(voice, true, now));
            }
            PhoneEvent::Refused { status, .. } => {
                stage.faults.push(format!("被拒 / refused: {status}"));
                stage.ended = true;
            }
            PhoneEvent::Ended { .. } => stage.ended = true,
            _ => {}
        }
    }

    /// The next citizen dials, unless somebody who is to be asked in is engaged in another scene, or there
    /// are too few clerks for two scenes at once.
    fn begin_next(&mut self) {
        let now = self.show.mover.now().mono;
        let Some(next) = self.stages.iter().position(|stage| stage.phone.is_none() && !stage.ended) else {
            return;
        };
        let mut under_way = self.stages.iter().filter(|stage| stage.is_under_way());
        let in_the_way = |stage: &Stage| {
            !self.many || stage.targets.iter().any(|target| self.stages[next].targets.contains(target))
        };
        if now < self.dial_at || under_way.any(in_the_way) {
            return;
        }
        self.dial_at = now + PACE;
        let stage = &mut self.stages[next];
        let (number, title) = (stage.number.clone(), stage.scene.title.clone());
        stage.lines.push(programme::scene(next + 1, &title, stage.voice));
        match self.show.plug_in(&number) {
            Ok(phone) => self.stages[next].phone = Some(phone),
            Err(error) => {
                self.stages[next].faults.push(error.to_string());
                self.stages[next].ended = true;
            }
        }
    }

    fn go_on(&mut self) {
        let now = self.show.mover.now().mono;
        let look = now >= self.look_at;
        if look {
            self.look_at = now + LOOK_EVERY;
        }
        let (mover, clerks) = (&mut self.show.mover, &self.show.clerks);
        for stage in self.stages.iter_mut().filter(|stage| stage.phone.is_some()) {
            stage.go_on(mover, clerks, look);
            if look {
                stage.looked(mover, clerks);
            }
        }
    }

    /// Of a call that is over: what was kept goes to be judged, late or not; then it is shown.
    fn close_books(&mut self, place: usize) -> Result<(), Broken> {
        let now = self.show.mover.now().mono;
        match self.closings.advance(place, self.stages[place].is_over(), now)? {
            Step::Wait => {}
            Step::Look { late } => {
                let case = self.case(place)?;
                let whole = case.record.as_ref().is_some_and(|record| record.is_closed())
                    && case.ticket.as_ref().is_some_and(|ticket| ticket.state == "closed")
                    && (!case.recorded || case.recording.is_some() && case.files > 0);
                if whole || late {
                    self.closings.judged(place, proof::start(case)?);
                }
            }
            Step::Verdict(verdict) => {
                self.faulty += usize::from(!verdict.faults.is_empty());
                self.stages[place].lines.extend(programme::kept(&verdict));
            }
        }
        Ok(())
    }
}
