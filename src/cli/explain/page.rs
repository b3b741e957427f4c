//! `--html`: a call explained on one page that needs nothing else, in Chinese and English, its way drawn.

use std::fmt::Write;

use super::super::load::plot::escape;
use super::drawing::{Arrow, Block, Drawing, Frame, Look, To, draw};
use crate::routing::diagnostic::Text;
use crate::routing::explain::Explanation;
use crate::routing::explain::flows::{Destination, ExplainedAct, ExplainedFlow, ExplainedWay};
use crate::routing::explain::path::ExplainedPath;
use crate::routing::source::Place;

const TEMPLATE: &str = include_str!("page.html");

/// The page.
pub fn page(explanation: &Explanation) -> String {
    let (head, tail) = TEMPLATE.split_once("{{body}}").unwrap_or((TEMPLATE, ""));
    let mut page = String::from(head);
    // Writing to a String cannot fail.
    let _ = writeln!(
        page,
        "<h1>来电说明 / a call explained</h1><p>{} → {} @ {}</p>",
        escape(&explanation.from),
        escape(&explanation.trunk),
        escape(&explanation.at)
    );
    if let Some(line) = &explanation.line {
        let _ = writeln!(
            page,
            "<p><b>{}</b> {} · {} · {} <span class=\"en\">{}</span> · 取自 <span class=\"en\">found in</span> {}: {}{}</p>",
            escape(&line.number),
            escape(&line.name),
            escape(&line.owner),
            escape(&line.mode.zh),
            escape(&line.mode.en),
            line.found_in,
            escape(&line.number_as_dialled),
            line.alias.as_deref().map_or_else(String::new, |own| {
                format!("（别名 <span class=\"en\">alias</span> {}）", escape(own))
            })
        );
    }
    let _ = writeln!(page, "<figure>{}</figure>", draw(&drawing(explanation)));
    page += "<h2>步骤 / steps</h2><ol>";
    for step in &explanation.steps {
        let _ = write!(page, "<li>{}</li>", both(step));
    }
    page += "</ol>\n";
    explanation.path.iter().for_each(|path| path_table(&mut page, path));
    if !explanation.flows.is_empty() {
        page += "<h2>流程 / flows</h2>\n";
        explanation.flows.iter().for_each(|flow| flow_table(&mut page, flow));
    }
    if !explanation.standing.is_empty() {
        page += "<h2>来电人与座席 / caller and clerks</h2><ul>";
        for words in &explanation.standing {
            let _ = write!(page, "<li>{}</li>", both(words));
        }
        page += "</ul>\n";
    }
    page += "<h2>依据 / decided by</h2><table>";
    for place in &explanation.decided_by {
        let _ = write!(
            page,
            "<tr><td class=\"place\">{}</td><td><code>{}</code></td></tr>",
            escape(&place_words(place)),
            escape(&place.text)
        );
    }
    page += "</table>";
    page + tail
}

fn both(text: &Text) -> String {
    format!("{}<br/><span class=\"en\">{}</span>", escape(&text.zh), escape(&text.en))
}

fn place_words(place: &Place) -> String {
    format!("{}:{}", place.file, place.line)
}

fn flow_table(page: &mut String, flow: &ExplainedFlow) {
    let _ = write!(
        page,
        "<h3>{}</h3><table><tr><th></th><th>做什么 what it does</th><th>说什么 what is said</th><th>去哪里 where it leads</th><th>依据 decided by</th></tr>",
        escape(&flow.name)
    );
    for act in &flow.acts {
        let said: Vec<String> = act
            .said
            .iter()
            .map(|said| format!("<code>{}</code> {}", escape(&said.prompt), escape(&said.text)))
            .collect();
        let ways: Vec<String> = act.ways.iter().map(way_words).collect();
        let place = act.place.as_ref().map_or_else(String::new, place_words);
        let _ = write!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"place\">{}</td></tr>",
            act.step,
            both(&act.words),
            said.join("<br/>"),
            ways.join("<br/>"),
            escape(&place)
        );
    }
    *page += "</table>\n";
}

/// The way of one call: what it came through, and what the rest hangs on.
fn path_table(page: &mut String, path: &ExplainedPath) {
    *page += "<h2>这个来电的经过 / the way of this call</h2><table><tr><th></th><th>经过什么 what it comes through</th><th>按键 keys</th><th>去哪里 where it leads</th><th>依据 decided by</th></tr>";
    for (index, passed) in path.passed.iter().enumerate() {
        let way = passed.way.as_ref().map_or_else(String::new, |way| arrow_words(&way.when, &way.to));
        let place = passed.place.as_ref().map_or_else(String::new, place_words);
        let _ = write!(
            page,
            "<tr><td>{}</td><td>{}</td><td><code>{}</code></td><td>{way}</td><td class=\"place\">{}</td></tr>",
            index + 1,
            both(&passed.words),
            escape(&passed.keys),
            escape(&place)
        );
    }
    *page += "</table>";
    if let Some(open) = &path.hangs_on {
        let _ = write!(
            page,
            "<p><b>接下来怎样取决于{}，没有写明</b> <span class=\"en\">what comes next hangs on {}, which is not said</span>: <code>{}</code></p>",
            escape(&open.words.zh),
            escape(&open.words.en),
            escape(&open.option)
        );
    }
    for remark in &path.remarks {
        let _ = write!(page, "<p>{}</p>", both(remark));
    }
    *page += "\n";
}

fn way_words(way: &ExplainedWay) -> String {
    arrow_words(&way.when, &way.to)
}

fn arrow_words(when: &Text, to: &Destination) -> String {
    let to = destination_words(to);
    format!(
        "{} → {} <span class=\"en\">{} → {}</span>",
        escape(&when.zh),
        escape(&to.zh),
        escape(&when.en),
        escape(&to.en)
    )
}

/// Where a way leads, in words.
pub fn destination_words(to: &Destination) -> Text {
    match to {
        Destination::Next => Text::new("下一步", "the next step"),
        Destination::Flow(name) => Text::new(format!("流程 {name}"), format!("the flow {name}")),
        Destination::Person => Text::new("人工", "a person"),
        Destination::Queue(name) => {
            Text::new(format!("人工（队列 {name}）"), format!("a person of the queue {name}"))
        }
        Destination::Talk => Text::new("双方通话", "the two talk"),
        Destination::End => Text::new("通话结束", "the end of the call"),
    }
}

/// The call's own steps as the first frame, a frame for each flow, and what follows them as the person.
fn drawing(explanation: &Explanation) -> Drawing {
    let until = explanation.flow_at.unwrap_or(explanation.steps.len());
    let (before, behind) = explanation.steps.split_at(until.min(explanation.steps.len()));
    let block = |words: &Text| Block { look: Look::Plain, zh: words.zh.clone(), en: words.en.clone() };
    let mut frames = vec![Frame {
        title: "来电 / the call".to_owned(),
        blocks: before.iter().map(block).collect(),
        zero: false,
    }];
    let next = |place| Arrow { from: (0, place), label: String::new(), to: To::Next };
    let mut arrows: Vec<Arrow> = (1..before.len()).map(|place| next(place - 1)).collect();
    let mut person = None;
    if explanation.flow_at.is_some() {
        let entry = if explanation.flows.is_empty() { To::Person } else { To::Frame(1) };
        arrows.push(Arrow { from: (0, before.len().saturating_sub(1)), label: String::new(), to: entry });
        let words = |read: fn(&Text) -> &str| -> String {
            let behind = behind.iter().skip(1).map(read); // The first is the flow itself.
            behind.collect::<Vec<_>>().join(" → ")
        };
        person = Some(Block {
            look: Look::Person,
            zh: format!("人工: {}", words(|text| &text.zh)),
            en: format!("a person: {}", words(|text| &text.en)),
        });
    }
    for (place, flow) in explanation.flows.iter().enumerate() {
        frames.push(Frame {
            title: format!("流程 / flow {}", flow.name),
            blocks: flow.acts.iter().map(act_block).collect(),
            zero: flow.acts.iter().any(|act| act.ways.iter().any(is_person_key)),
        });
        for (index, act) in flow.acts.iter().enumerate() {
            arrows.extend(ways(explanation, (place + 1, index), act));
        }
    }
    Drawing { frames, arrows, person }
}

fn act_block(act: &ExplainedAct) -> Block {
    let look = match act.kind {
        "menu" | "collect" | "message" | "survey" => Look::Question,
        "queue" | "transfer" => Look::Person,
        "hang_up" => Look::End,
        _ => Look::Plain,
    };
    Block { look, zh: act.words.zh.clone(), en: act.words.en.clone() }
}

/// The key for a person is drawn once a flow.
fn is_person_key(way: &ExplainedWay) -> bool {
    way.key == Some('0')
}

fn ways(explanation: &Explanation, from: (usize, usize), act: &ExplainedAct) -> Vec<Arrow> {
    let mut arrows: Vec<Arrow> = Vec::new();
    let asks = matches!(act.kind, "menu" | "look_up" | "branch" | "transfer" | "bot");
    for (place, way) in act.ways.iter().enumerate().filter(|(_, way)| !is_person_key(way)) {
        let to = match &way.to {
            Destination::Next => To::Next,
            Destination::Flow(name) => {
                let place = explanation.flows.iter().position(|flow| flow.name == *name);
                let Some(place) = place else { continue };
                To::Frame(place + 1)
            }
            Destination::Person => To::Person,
            // The box says it.
            Destination::Queue(_) | Destination::Talk | Destination::End => continue,
        };
        let label = match way.key {
            Some(key) => key.to_string(),
            None if place == 0 && !asks => String::new(), // It is done: of course it goes on.
            None => way.when.zh.clone(),
        };
        match arrows.iter_mut().find(|arrow| arrow.to == to) {
            Some(arrow) => arrow.label = format!("{}、{label}", arrow.label),
            None => arrows.push(Arrow { from, label, to }),
        }
    }
    arrows
}
