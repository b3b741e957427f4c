//! What legs say and hear, and whether it was what they should hear.

use std::io;

use super::super::calls::{Call, Role, Stage, Taken, Whose, far_tone, near_tone, third_tone};
use super::super::judge::{TONE_KEPT, TONES, Tone, Wanted, tone};
use super::super::lobby::Guest;
use super::super::mix::Kind;
use super::super::plan::Scenario;
use super::Floor;
use crate::phone::stream::{Ear, Kept, Loop, Voice};
use crate::phone::{Agreed, Codec};
use crate::time::Instant;

/// A prompt is kept for so much longer than it is: it may begin late. Samples.
const PROMPT_SLACK: usize = 3 * 8_000;
/// Calls whose first leg is over and whose second is not.
const HALVES_MAX: usize = 65_536;
/// Kept where any sound will do, samples.
const ANY_KEPT: usize = 2 * 8_000;

impl Floor {
    /// Sound begins, or goes on otherwise.
    pub(super) fn agree(&mut self, guest: Guest, agreed: Agreed, at: Instant) {
        let Some(port) = self.lines[guest].port else { return };
        let (payload_type, codec) = agreed.codec;
        let (said, sampled, kind) = match &self.lines[guest].role {
            Role::Caller(Some(call)) => (near_tone(call.index), call.sampled && call.measured, call.kind),
            Role::Far { taken: Some(Taken { of: Some(whose), .. }), seat } => {
                let third = whose.kind.waits() && !*seat;
                let tone = if third { third_tone } else { far_tone };
                let counted = if whose.kind.waits() { whose.measured } else { at >= self.measured_from };
                (tone(whose.index), whose.sampled && counted, whose.kind)
            }
            Role::Far { .. } => (3 * guest + 1, false, Kind::Plain),
            Role::Caller(None) => return,
        };
        if let Some((voice, ear)) = self.streams.leg(port) {
            voice.take_events(agreed.event);
            ear.agree_anew(payload_type, agreed.rtp);
        }
        let sound = self.tone(said, codec);
        let caller = matches!(self.lines[guest].role, Role::Caller(_));
        let kept = sampled.then(|| match (kind, &self.plan.prompt) {
            (Kind::Prompt, Some(prompt)) => Kept::first(prompt.len() + PROMPT_SLACK, codec),
            (Kind::Prompt, None) if caller => Kept::first(ANY_KEPT, codec),
            _ => Kept::last(TONE_KEPT, codec),
        });
        let dice = &mut self.dice;
        self.streams.begin(port, agreed.rtp, agreed.open, at, || {
            let mut voice = Voice::new(payload_type, sound, dice);
            voice.take_events(agreed.event);
            (voice, Ear::new(payload_type, agreed.rtp, kept))
        });
    }

    pub(super) fn tone(&mut self, number: Tone, codec: Codec) -> Loop {
        let key = (codec == Codec::Pcmu, number % TONES);
        self.tones.entry(key).or_insert_with(|| Loop::new(&tone(number), codec)).clone()
    }

    /// The sound of a leg is over: counted, and judged where it was kept.
    pub(super) fn end_leg(&mut self, guest: Guest) -> io::Result<()> {
        let Some(port) = self.lines[guest].port else { return Ok(()) };
        let Some(ended) = self.streams.end(port, self.lobby.now().mono)? else { return Ok(()) };
        let heard = self.figures.leg_ended(&ended);
        let pair = match &self.lines[guest].role {
            // These are judged as their talks end, and are two or three.
            Role::Caller(Some(Call { kind, .. }))
            | Role::Far { taken: Some(Taken { of: Some(Whose { kind, .. }), .. }), .. }
                if kind.waits() =>
            {
                return Ok(());
            }
            Role::Caller(Some(call)) => {
                let missed = self.far.is_some() && !self.plan.mix.waits() && !call.paired;
                self.figures.calls.unpaired += u64::from(missed && call.measured);
                call.paired.then_some(call.index)
            }
            Role::Far { taken: Some(Taken { of: Some(whose), .. }), .. } => Some(whose.index),
            _ => None,
        };
        match pair {
            None => self.figures.rtp.one_way += u64::from(heard == Some(false)),
            Some(index) => match self.halves.remove(&index) {
                None if self.halves.len() < HALVES_MAX => drop(self.halves.insert(index, heard)),
                None => {} // Whether it went one way only is not told then.
                Some(other) => {
                    let differ = matches!((heard, other), (Some(here), Some(there)) if here != there);
                    self.figures.rtp.one_way += u64::from(differ);
                }
            },
        }
        if let Some(kept) = ended.kept {
            let wanted = self.wanted(guest);
            if let Some(bench) = &mut self.bench {
                bench.submit(wanted, kept, false);
            }
        }
        Ok(())
    }

    /// What this leg should have heard at its end.
    pub(super) fn wanted(&self, guest: Guest) -> Wanted {
        match &self.lines[guest].role {
            Role::Far { taken: Some(Taken { of: Some(whose), .. }), .. } => {
                Wanted::Tones(vec![near_tone(whose.index)])
            }
            Role::Caller(Some(call)) => match (self.plan.scenario, &self.plan.prompt) {
                (Scenario::Signalling, _) => Wanted::Unknown,
                (_, Some(prompt)) if call.kind == Kind::Prompt => Wanted::Prompt(prompt.clone()),
                (_, None) if call.kind == Kind::Prompt => Wanted::Sound,
                (Scenario::Meeting, _) => Wanted::Tones(self.others(call.index)),
                _ if self.far.is_none() => Wanted::Tones(vec![near_tone(call.index)]), // An echo.
                _ if call.paired => Wanted::Tones(vec![far_tone(call.index)]),
                _ => Wanted::Unknown,
            },
            _ => Wanted::Unknown,
        }
    }

    /// The tones of those who are in the same meeting.
    pub(super) fn others(&self, index: u64) -> Vec<Tone> {
        let first = index - index % self.plan.per_room;
        let there = |other: &u64| {
            let guest = self.by_number.get(&self.plan.caller(*other));
            let role = guest.map(|guest| &self.lines[*guest].role);
            // Who ends in this very moment was there until now.
            matches!(
                role,
                Some(Role::Caller(Some(Call { stage: Stage::Talking | Stage::Ending { .. }, .. })))
            )
        };
        (first..first + self.plan.per_room)
            .filter(|other| *other != index && there(other))
            .map(near_tone)
            .collect()
    }
}
