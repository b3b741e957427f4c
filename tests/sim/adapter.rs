//! Whom flows ask: the office that knows tickets by number and code, and a register of cars.

use std::collections::BTreeMap;
use std::time::Duration;

use hotline::call::{BotEnd, BotLine, BotSaid, LookedUp, Voice};
use hotline::id::LookUpId;
use hotline::tickets::event::{EventBody, read};

use crate::desk::Books;

/// How the adapters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// They answer after so long.
    Answers(Duration),
    /// They say that they cannot.
    Fails,
    /// They say nothing at all.
    Mute,
}

pub struct Adapters {
    pub mood: Mood,
    /// Owners by plate.
    pub cars: BTreeMap<String, String>,
    /// Who talks with callers.
    pub bot: Program,
    /// Questions so far.
    pub asked: Vec<(LookUpId, BTreeMap<String, String>)>,
}

impl Adapters {
    pub fn new() -> Self {
        Adapters {
            mood: Mood::Answers(Duration::from_millis(20)),
            cars: BTreeMap::new(),
            bot: Program::default(),
            asked: Vec::new(),
        }
    }

    /// What is said, and after how long; `None`: nothing ever.
    pub fn answer(
        &mut self,
        source: LookUpId,
        by: BTreeMap<String, String>,
        books: &Books,
    ) -> Option<(Duration, LookedUp)> {
        let said = match source.as_str() {
            "cars" => self.cars.get(by.get("plate")?).map(|owner| ("owner", owner.clone())),
            _ => ordered(&by, books).then(|| ("state", "done".to_owned())),
        };
        self.asked.push((source, by));
        match self.mood {
            Mood::Answers(span) => Some((
                span,
                said.map_or(LookedUp::Missing, |(name, value)| {
                    LookedUp::Found([(name.to_owned(), value)].into())
                }),
            )),
            Mood::Fails => Some((Duration::from_millis(5), LookedUp::Failed)),
            Mood::Mute => None,
        }
    }
}

/// A program that talks with callers: what it does in each talk, and when.
#[derive(Default)]
pub struct Program {
    /// One of these each time, by chance.
    pub stories: Vec<Vec<(Duration, BotSaid)>>,
    /// Keys that it was told.
    pub keys: Vec<char>,
    /// How its talks ended.
    pub left: Vec<BotEnd>,
}

impl Program {
    pub fn says(&self, dice: u64) -> Vec<(Duration, BotSaid)> {
        let story = dice.checked_rem(self.stories.len() as u64).map(|place| place as usize);
        story.map(|place| self.stories[place].clone()).unwrap_or_default()
    }
}

/// It is there after this, says a line, and does so in the end.
pub fn talks(there: Duration, for_so_long: Duration, last: BotSaid) -> Vec<(Duration, BotSaid)> {
    let line = BotLine { who: Voice::Bot, text: "您好".into(), at_ms: 0 };
    vec![
        (there, BotSaid::There { at: ([127, 9, 9, 9], 40_000).into() }),
        (there, BotSaid::Line(line)),
        (there + for_so_long, last),
    ]
}

/// Whether the office has a ticket of this number that was ordered with this code.
fn ordered(by: &BTreeMap<String, String>, books: &Books) -> bool {
    books.taken.iter().any(|event| match read(&event.json).map(|event| event.body) {
        Ok(EventBody::Ordered { ticket, code: Some(code), .. }) => {
            by.get("ticket") == Some(&ticket) && by.get("code") == Some(&code)
        }
        _ => false,
    })
}
