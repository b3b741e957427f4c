//! The acts of the operator's flows: what the caller presses, and what is given, decides which of its
//! [ways](Act::ways) a call takes from each.

use super::super::plan::TicketReason;
use super::super::script::{
    ACTS_TAKEN_MAX, Act, Branch, Case, Collect, Condition, Leads, LookUp, Menu, Message, PERSON_KEY, Spoken,
    Target, Transfer, When,
};
use super::super::speech;
use super::walk::{Known, Walk};
use super::{Answer, Open, What};
use crate::id::{BotId, PromptId, ScriptId};

/// Ends what is typed in, and what is spoken.
const END_KEY: char = '#';
/// Grades, and those of them that are asked about.
const GRADES: std::ops::RangeInclusive<char> = '1'..='5';
const BAD: std::ops::RangeInclusive<char> = '4'..='5';

impl<'a> Walk<'a> {
    /// Where the flow that begins with `first` leads the caller to, when it is over.
    pub fn script(&mut self, first: &ScriptId) -> Result<Leads<'a>, Open> {
        let plan = self.plan;
        let mut place = plan.scripts.get(first).map(|script| (script, 0));
        for _ in 0..ACTS_TAKEN_MAX {
            let Some((script, next)) = place else { break };
            let Some(act) = script.acts.get(next) else { break };
            if self.leaves_in_notices(act) {
                return Ok(Leads::Person);
            }
            self.pass(What::Act { script: script.id.clone(), place: next, when: None });
            let when = self.act(act)?;
            self.takes(when);
            let way = act.ways().into_iter().find(|way| way.when == when);
            place = match way.map_or(Leads::Person, |way| way.to) {
                Leads::On => Some((script, next + 1)),
                Leads::Script(to) => plan.scripts.get(to).map(|script| (script, 0)),
                Leads::Queue(queue) if !plan.queues.contains_key(queue) => break,
                over => return Ok(over),
            };
        }
        self.leaves_in_notices(&Act::HangUp); // Behind the last act they are told still.
        Ok(Leads::Person)
    }

    /// Hears the hot notices that come before this act; whether the caller leaves for a person meanwhile.
    fn leaves_in_notices(&mut self, act: &Act) -> bool {
        if !act.comes_behind_notices(&mut self.greeted) {
            return false;
        }
        while let Some(notice) = self.notices.pop_front() {
            self.pass(What::Notice(notice.clone()));
            self.fate.hears.push(notice.to_string());
            if self.wants_person().is_some() {
                return true;
            }
        }
        false
    }

    /// What comes of an act.
    fn act(&mut self, act: &'a Act) -> Result<When, Open> {
        Ok(match act {
            Act::Play(prompt) => self.say(std::slice::from_ref(prompt)),
            Act::Say(pieces) => return self.say_pieces(pieces),
            Act::Menu(menu) => return self.choose(menu),
            Act::Collect(collect) => return self.type_in(collect),
            Act::Message(message) => return self.speak(message),
            Act::LookUp(look_up) => return self.look_up(look_up),
            Act::Order(order) => {
                self.open_ticket(TicketReason::SelfService);
                self.hear(&order.prompt);
                order.code_prompt.iter().for_each(|prompt| self.hear(prompt));
                self.wants_person().unwrap_or(When::Done)
            }
            Act::Branch(branch) => return self.branch(branch),
            Act::Transfer(transfer) => return self.transfer(transfer),
            Act::Bot(bot) => return self.talk(bot),
            Act::Survey => {
                self.fate.survey = true;
                self.wants_person().unwrap_or_else(|| self.grade(true))
            }
            Act::Queue(_) | Act::Go(_) | Act::HangUp => When::Done,
        })
    }

    /// Whether the caller now presses the key for a person, or says that it is urgent, which leads to one as well.
    fn wants_person(&mut self) -> Option<When> {
        let wants = self.says_urgent() || self.press(|key| key == PERSON_KEY).is_some();
        wants.then_some(When::Key(PERSON_KEY))
    }

    fn say(&mut self, words: &[PromptId]) -> When {
        words.iter().for_each(|prompt| self.hear(prompt));
        self.wants_person().unwrap_or(When::Done)
    }

    /// A value that is read out is no prompt. One that was said and cannot be read in that way leaves the caller to a
    /// person: a sentence with a hole in it would be a wrong answer.
    fn say_pieces(&mut self, pieces: &'a [Spoken]) -> Result<When, Open> {
        let mut words = Vec::new();
        let mut speaks = false;
        for piece in pieces {
            match piece {
                Spoken::Prompt(prompt) => words.push(prompt.clone()),
                Spoken::Value { name, reading } => match self.values.get(name.as_str()) {
                    Some(Known::Given(said) | Known::LookedUp(said)) => {
                        let said = said.trim();
                        let zone = &self.plan.city.time_zone;
                        if !said.is_empty() && speech::reading(*reading, said, zone).is_none() {
                            return Ok(When::Key(PERSON_KEY));
                        }
                        speaks |= !said.is_empty();
                    }
                    Some(Known::Unsaid(_)) => speaks = true,
                    None => {}
                },
                Spoken::Choice { name, prompts, otherwise } => {
                    let said = self.value(name)?;
                    words.extend(said.and_then(|said| prompts.get(said).or(otherwise.as_ref())).cloned());
                }
            }
        }
        // What says nothing is passed over, and takes no time.
        Ok(if words.is_empty() && !speaks { When::Done } else { self.say(&words) })
    }

    /// What is known under this name; `None`: nothing is.
    fn value(&self, name: &str) -> Result<Option<&str>, Open> {
        match self.values.get(name) {
            Some(Known::Given(said) | Known::LookedUp(said)) => Ok(Some(said)),
            Some(Known::Unsaid(of)) => Err(Open::Value { of: (*of).to_owned(), value: name.to_owned() }),
            None => Ok(None),
        }
    }

    fn choose(&mut self, menu: &Menu) -> Result<When, Open> {
        self.keys_are_said()?;
        for _ in 0..menu.tries.max(1) {
            self.hear(&menu.prompt);
            if let Some(when) = self.wants_person() {
                return Ok(when);
            }
            if let Some(key) = self.press(|_| true)
                && menu.keys.contains_key(&key)
            {
                return Ok(When::Key(key));
            }
        }
        Ok(When::Tried)
    }

    fn type_in(&mut self, collect: &'a Collect) -> Result<When, Open> {
        self.keys_are_said()?;
        for _ in 0..collect.tries.max(1) {
            self.hear(&collect.prompt);
            let mut digits = String::new();
            while digits.len() < usize::from(collect.most) {
                if digits.is_empty()
                    && let Some(when) = self.wants_person()
                {
                    return Ok(when);
                }
                match self.press(|_| true) {
                    None | Some(END_KEY) => break,
                    Some(key) if key.is_ascii_digit() => digits.push(key),
                    Some(_) => {} // It means nothing there.
                }
            }
            if digits.len() >= usize::from(collect.most) {
                self.press(|key| key == END_KEY); // It was meant for this.
            }
            if digits.len() >= usize::from(collect.least.max(1)) {
                self.values.insert(&collect.into, Known::Given(digits));
                return Ok(When::Done);
            }
        }
        Ok(When::Tried)
    }

    /// The caller speaks long enough, or says nothing, as often as that is asked for; where nothing is recorded, nothing
    /// can be left.
    fn speak(&mut self, message: &'a Message) -> Result<When, Open> {
        if !self.fate.recorded {
            return Ok(When::Tried);
        }
        for _ in 0..message.tries.max(1) {
            self.hear(&message.prompt);
            if let Some(when) = self.wants_person() {
                return Ok(when);
            }
            self.press(|key| key == END_KEY);
            let speaks = match self.given.leaves_message {
                Some(said) => said,
                None if self.given.as_usual => true,
                None => return Err(Open::Message),
            };
            if speaks {
                self.message = true;
                // Where it stands in the recording, which nobody tells beforehand.
                self.values.insert(&message.into, Known::Given(String::new()));
                return Ok(When::Done);
            }
        }
        Ok(When::Tried)
    }

    fn look_up(&mut self, look_up: &'a LookUp) -> Result<When, Open> {
        for ours in look_up.with.values() {
            if self.value(ours)?.is_none() {
                return Ok(When::Missing); // What is not known cannot be asked by.
            }
        }
        if let Some(when) = self.wants_person() {
            return Ok(when);
        }
        self.ask(look_up.source.as_str(), Known::LookedUp)
    }

    /// A bot that is not done, for whatever reason, leaves the caller to a person.
    fn talk(&mut self, bot: &'a BotId) -> Result<When, Open> {
        if let Some(when) = self.wants_person() {
            return Ok(when);
        }
        let when = self.ask(bot.as_str(), Known::Given)?;
        Ok(if when == When::Done { when } else { When::Failed })
    }

    /// Asks a look-up or a bot, and keeps what it says.
    fn ask(&mut self, of: &'a str, known: impl Fn(String) -> Known<'a>) -> Result<When, Open> {
        self.asked.insert(of);
        let given = self.given;
        match given.answers.get(of) {
            None => Err(Open::Answer(of.to_owned())),
            Some(Answer::Missing) => Ok(When::Missing),
            Some(Answer::Failed) => Ok(When::Failed),
            Some(Answer::Values(values)) => {
                for (name, said) in values {
                    let said = said.map_or(Known::Unsaid(of), |said| known(said.to_owned()));
                    self.values.insert(name, said);
                }
                Ok(When::Done)
            }
        }
    }

    fn branch(&self, branch: &Branch) -> Result<When, Open> {
        for (place, case) in branch.cases.iter().enumerate() {
            if self.is_so(case)? {
                return Ok(When::Case(place));
            }
        }
        Ok(When::Otherwise)
    }

    /// All that it names must be so; what is not, whatever else may be, decides.
    fn is_so(&self, case: &Case) -> Result<bool, Open> {
        let mut open = None;
        for condition in &case.when {
            match self.condition(condition) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(one) => open = open.or(Some(one)),
            }
        }
        open.map_or(Ok(true), Err)
    }

    fn condition(&self, condition: &Condition) -> Result<bool, Open> {
        if let Condition::Value { name, is } = condition {
            let said = self.value(name)?;
            return Ok(said.is_some_and(|said| is.is_empty() || is.iter().any(|one| one == said)));
        }
        let so = condition.is_so(&self.plan.city, &self.line.number, Some(self.caller), self.at);
        Ok(so == Some(true))
    }

    /// Whom nobody may ring, or who is not there at this hour, does not answer.
    fn transfer(&mut self, transfer: &'a Transfer) -> Result<When, Open> {
        let peer = match &transfer.to {
            Target::Peer(peer) => {
                peer.hours.are_open(self.at, &self.plan.city.time_zone).then(|| peer.clone())
            }
            Target::Value(relay) => {
                let said = self.value(&relay.name)?;
                let is_looked_up = matches!(self.values.get(relay.name.as_str()), Some(Known::LookedUp(_)));
                said.filter(|_| is_looked_up).and_then(|number| self.plan.relayable(number).ok())
            }
        };
        let Some(peer) = peer else { return Ok(When::Unanswered) };
        self.dial(&peer);
        if let Some(when) = self.wants_person() {
            return Ok(when);
        }
        Ok(if self.picks_up(&peer)? { When::Done } else { When::Unanswered })
    }

    /// The grade, and why where it is a bad one; in a flow the key for a person leads to one still.
    pub fn grade(&mut self, in_flow: bool) -> When {
        for _ in 0..self.plan.survey.tries.max(1) {
            if in_flow && let Some(when) = self.wants_person() {
                return when;
            }
            let Some(key) = self.press(|_| true) else { break };
            if GRADES.contains(&key) {
                let asks = self.plan.survey.reason && self.plan.prompts.contains_key("survey_reason");
                if asks && BAD.contains(&key) {
                    self.press(|_| true);
                }
                break;
            }
        }
        When::Done
    }
}
