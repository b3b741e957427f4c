//! What callers hear before anybody hears them: words that are over in time, and that the call is recorded.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::diagnostic::Spot;
use super::super::plan::Plan;
use super::super::source::{Problems, Said};
use super::super::tables::{ModeWord, NumberTable, RoutingTable};
use super::super::told::Untold;
use super::sounds::seconds;

/// A person should answer within this (GB/T 33358: 15 s).
const PERSON_DUE: Duration = Duration::from_secs(15);

/// The words of a plan that no rule has found fault with.
pub fn heard(plan: &Plan, table: &RoutingTable, problems: &mut Problems) {
    if table.is_live() {
        soon_with_a_person(plan, table, problems);
    }
}

/// Whether a plan that calls may go by tells of the recording.
pub fn told(plan: &Plan, table: &RoutingTable, problems: &mut Problems) {
    if table.is_live() {
        told_of_recording(plan, table, problems);
    }
}

/// Human first: on no line, by no lane and in no surge do the words in front of the queue use up the time in which a
/// person should answer.
fn soon_with_a_person(plan: &Plan, table: &RoutingTable, problems: &mut Problems) {
    let mut noted: Vec<&Spot> = Vec::new();
    for line in &table.numbers {
        let Some(planned) = line.number.as_ref().and_then(|number| plan.lines.get(number.as_str())) else {
            continue;
        };
        let Some((words, with_notice)) = plan.words_before_the_queue(planned) else { continue };
        let spot = spot_of_words(line, table);
        if words <= PERSON_DUE || noted.contains(&spot) {
            continue;
        }
        noted.push(spot); // One prompt too long is one problem, however many lines say it.
        let seconds = seconds(words);
        let found = problems
            .error(
                "E0506",
                spot,
                format!("进入队列之前要听 {seconds} 秒，超过 15 秒"),
                format!("{seconds} s of words come before the queue, more than 15 s"),
            )
            .effect(
                "15 秒内接通的要求无法达到，来电人听完录音才等得到人",
                "no person could answer within 15 s: callers would have to hear the words out first",
            )
            .remedy("缩短提示音或问候语", "make the prompt or the greeting shorter");
        if let Some(language) = &line.language {
            found.related(&language.spot, "用这种语言", "in this language");
        }
        if let Some(notice) = table.recording_notice.as_ref().filter(|_| with_notice) {
            found.related(&notice.spot, "其中有录音告知", "the notice of the recording is among them");
        }
    }
}

/// The prompt of the transition, or else the greeting.
fn spot_of_words<'t>(line: &'t NumberTable, table: &'t RoutingTable) -> &'t Spot {
    let queue = table.queues.iter().find(|queue| {
        let name = queue.name.as_ref().map(|name| &name.value);
        name.is_some() && name == line.queue.as_ref().map(|queue| &queue.value)
    });
    let own = line.transition.as_ref().and_then(|own| own.prompt.as_ref());
    let whole = table.transition.as_ref().and_then(|whole| whole.prompt.as_ref());
    let is_merged = line.mode.as_ref().is_some_and(|mode| mode.value == ModeWord::Merged);
    let greeting = || line.greeting.as_ref().or(queue.and_then(|queue| queue.greeting.as_ref()));
    let said = own.or(whole).filter(|_| is_merged).or_else(greeting);
    said.map_or(&line.spot, |said| &said.spot)
}

/// Whoever is recorded is told. One warning for each reason why not, with all lines that it is the reason for.
fn told_of_recording(plan: &Plan, table: &RoutingTable, problems: &mut Problems) {
    let mut untold: BTreeMap<Untold, Vec<&Said<String>>> = BTreeMap::new();
    for number in table.numbers.iter().filter_map(|line| line.number.as_ref()) {
        let why = plan.lines.get(number.as_str()).and_then(|line| plan.untold(line));
        if let Some(why) = why {
            untold.entry(why).or_default().push(number);
        }
    }
    for (why, numbers) in untold {
        let list: Vec<&str> = numbers.iter().map(|number| number.value.as_str()).collect();
        let Some(first) = numbers.first() else { continue };
        let (zh, en) = match &why {
            Untold::Greeting(prompt) => (
                format!("先听到的 {prompt} 没有说到通话录音"),
                format!("{prompt}, which they hear first, does not tell that the call is recorded"),
            ),
            Untold::Flow(flow) => (
                format!("流程 {flow} 一开始没有说到通话录音"),
                format!("the flow {flow} does not begin by telling that the call is recorded"),
            ),
            Untold::Department => (
                "先转给部门的座席，没有人告知通话录音".to_owned(),
                "the department's seats ring first, and nothing tells that the call is recorded".to_owned(),
            ),
        };
        problems
            .warning(
                "W0120",
                &first.spot,
                format!("拨打 {} 的来电人：{zh}", list.join("、")),
                format!("callers of {}: {en}", list.join(", ")),
            )
            .effect("来电人不知道通话被录音", "they would be recorded without knowing it")
            .remedy(
                "在 [recording] 写 notice，或让先听到的话说到“通话”和“录音”",
                "say notice under [recording], or let the words that they hear first tell of it (通话 and 录音, or \"recorded\")",
            );
    }
}
