//! What a flow says: prompts, with values among them.

use super::Call;
use crate::id::PromptId;
use crate::routing::script::Spoken;
use crate::routing::speech;

impl Call {
    /// The prompts of these pieces. A value that is not there is passed over; the name of one that is there and cannot
    /// be said in that way is the error: a sentence with a hole in it would be a wrong answer.
    pub(super) fn words_of<'p>(&self, pieces: &'p [Spoken]) -> Result<Vec<PromptId>, &'p str> {
        let mut words = Vec::new();
        for piece in pieces {
            match piece {
                Spoken::Prompt(prompt) => words.push(prompt.clone()),
                Spoken::Value { name, reading } => {
                    let said = self.service.value(name).filter(|said| !said.trim().is_empty());
                    let zone = &self.plan.city.time_zone;
                    let read = said.map(|said| speech::reading(*reading, said, zone).ok_or(name.as_str()));
                    words.extend(read.transpose()?.unwrap_or_default());
                }
                Spoken::Choice { name, prompts, otherwise } => {
                    let said = self.service.value(name);
                    words.extend(said.and_then(|said| prompts.get(said).or(otherwise.as_ref())).cloned());
                }
            }
        }
        Ok(words)
    }
}
