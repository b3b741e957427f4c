//! What a flow says: prompts, with values among them.

use super::Call;
use crate::id::PromptId;
use crate::routing::script::Spoken;
use crate::routing::speech;

impl Call {
    /// The prompts of these pieces. A value that is not there is passed over.
    pub(super) fn words_of(&self, pieces: &[Spoken]) -> Vec<PromptId> {
        pieces.iter().flat_map(|piece| self.piece(piece)).collect()
    }

    fn piece(&self, piece: &Spoken) -> Vec<PromptId> {
        match piece {
            Spoken::Prompt(prompt) => vec![prompt.clone()],
            Spoken::Value { name, reading } => {
                self.service.value(name).map(|said| speech::reading(*reading, said)).unwrap_or_default()
            }
            Spoken::Choice { name, prompts, otherwise } => {
                let said = self.service.value(name);
                said.and_then(|said| prompts.get(said).or(otherwise.as_ref())).cloned().into_iter().collect()
            }
        }
    }
}
