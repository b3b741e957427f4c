//! What was kept of a scene's call, gathered for its proof: record, ticket, recording, and what they must say.

use std::path::{Path, PathBuf};

use super::super::cast::Desk;
use super::super::hear::Wanted;
use super::super::show::Broken;
use super::Act;
use super::proof::{Case, Stay, Who};
use super::scenes::{BUSY, Role, Target};
use super::stage::Stage;
use crate::id::{LineId, PromptId};
use crate::io::recorder;
use crate::io::store::CallQuery;
use crate::routing::Plan;
use crate::routing::plan::LineMode;
use crate::switchboard::fact::Cause;
use crate::telemetry::CallRecord;

/// So much of a prompt tells it from any other, samples: a second and a half.
const TELLING: usize = 12_000;

impl Act<'_, '_> {
    pub(super) fn case(&self, place: usize) -> Result<Case, Broken> {
        let (show, stage) = (&*self.show, &self.stages[place]);
        let (plan, scene) = (show.plan, &stage.scene);
        let query = CallQuery { caller: Some(stage.number.clone()), most: 2, ..CallQuery::default() };
        let mut records = show.reader.calls(&query)?;
        let record = if records.len() == 1 { records.pop() } else { None };
        let mut faults = stage.faults.clone();
        if let (Some(call), Some(record)) = (stage.call, &record)
            && call != record.call
        {
            faults.push(
                "座席话机上的通话号不是记录的 / the clerk's telephone was told another call's id".into(),
            );
        }
        let ticket = match &record {
            Some(record) => show.reader.ticket(&record.ticket)?,
            None => None,
        };
        let files = match &record {
            Some(record) => {
                show.reader.manifest_of(record.call)?.iter().filter(|row| row.track.is_none()).count()
            }
            None => 0,
        };
        let heard = stage.phone.map_or(&[][..], |phone| show.mover.party(phone).heard());
        let voice_of = |role: &Role| stage.voice_of(*role, &show.clerks);
        let mut other_voices: Vec<u32> = match scene.lost {
            false => [Role::Clerk, Role::Third].iter().filter_map(voice_of).collect(),
            true => [Role::Clerk, Role::Second].iter().filter_map(voice_of).collect(),
        };
        other_voices.dedup();
        let callers = show.callers.iter().map(|caller| caller.voice);
        let citizens = self.stages.iter().map(|stage| stage.voice);
        let clerks = show.clerks.iter().map(|clerk| clerk.voice);
        Ok(Case {
            prompts: self.prompts(stage),
            music: stage.music.clone().and_then(|range| {
                Some((self.telling(&music(plan, &scene.line)?), heard.get(range)?.to_vec()))
            }),
            heard: heard.to_vec(),
            caller_voice: stage.voice,
            other_voices,
            voices: callers.chain(citizens).chain(clerks).collect(),
            transfers: scene.transfers.clone(),
            object: scene.object.clone(),
            refused_with: BUSY,
            stays: self.stays(stage),
            grade: scene.grade,
            reason: scene.reason,
            cause: if scene.grade.is_some() { Cause::Completed } else { Cause::OtherHungUp },
            ticket,
            ticket_reason: scene
                .lost
                .then(|| format!("transfer_failed/{}/{}/{BUSY}", scene.object.kind.word(), scene.object.id)),
            recording: record.as_ref().and_then(|record| file_of(record, show.data)),
            files,
            recorded: plan.recording.enabled,
            record: record.map(Box::new),
            faults,
        })
    }

    /// What the citizen is told by the house: that somebody else is looked for, and the survey's questions.
    fn prompts(&self, stage: &Stage) -> Vec<Wanted> {
        let scene = &stage.scene;
        let told = [
            ("排回队首 back in line", "seat_lost", scene.lost),
            ("请评价 survey", "survey", scene.grade.is_some()),
            ("问原因 reason", "survey_reason", scene.reason.is_some()),
        ];
        let told = told.into_iter().filter(|(_, _, wanted)| *wanted);
        told.map(|(name, id, _)| Wanted { name, sound: self.telling(&id.into()), at_once: false }).collect()
    }

    fn telling(&self, id: &PromptId) -> Vec<i16> {
        let samples = self.show.plan.prompts.get(id).map_or(&[][..], |prompt| &prompt.samples);
        samples[..samples.len().min(TELLING)].to_vec()
    }

    /// Who must be on the record, in the order of their picking up.
    fn stays(&self, stage: &Stage) -> Vec<Stay> {
        let who = |role: Role| match (role, &stage.scene.target) {
            (Role::Third, Target::SubCenter(line)) => {
                match self.show.plan.lines.get(line).map(|line| &line.mode) {
                    Some(LineMode::SubCenter { peer, .. }) => Some(Who::Peer(peer.number.clone())),
                    _ => None,
                }
            }
            _ => match &self.show.clerks.get(*stage.cast.get(&role)?)?.desk {
                Desk::Seat(seat) => Some(Who::Seat(seat.clone())),
                Desk::SubCenter(_) => None,
            },
        };
        let lost = stage.scene.lost;
        let roles = [Role::Clerk, if lost { Role::Second } else { Role::Third }];
        let stays = roles.into_iter().filter_map(|role| {
            Some(Stay { who: who(role)?, consulted: !lost, waited: lost && role == Role::Clerk })
        });
        stays.collect()
    }
}

/// What is heard by who waits for a clerk of this line.
fn music(plan: &Plan, line: &LineId) -> Option<PromptId> {
    match &plan.lines.get(line)?.mode {
        LineMode::Primary { queue } | LineMode::Merged { queue } | LineMode::Dual { queue } => {
            plan.queues.get(queue).map(|queue| queue.music.clone())
        }
        _ => None,
    }
}

/// Where a call's recording is now.
fn file_of(record: &CallRecord, data: &Path) -> Option<PathBuf> {
    let file = record.recording.as_ref()?;
    recorder::kept(data, file).map(|(file, _)| data.join(file))
}
