//! A call's commands in words, so that a test reads as what is said and done.
//!
//! Legs go by their number: 0 is the caller, 1 whoever was called first.

use std::collections::BTreeMap;

use hotline::call::{Callee, Command, Ending, Subject, Told, TransferKind, conference_of};
use hotline::id::PromptId;
use hotline::media::Order;
use hotline::media::order::{Audience, Flow, Rights, SoundId};
use hotline::sip::Clearing;
use hotline::sip::sdp::{Direction, Sdp};

/// One command in words.
pub fn words(command: &Command, sounds: &BTreeMap<PromptId, SoundId>) -> String {
    match command {
        Command::Relay { number, most, within } => {
            format!("relay {number}, {most} in {} s?", within.as_secs())
        }
        Command::WantPort { leg, callee } => format!("want port {} for {}", leg.index, who(callee)),
        Command::FreePort { slot } => format!("free port {}", slot.0),
        Command::Progress { status, sdp } => format!("{status}{}", with(sdp.is_some())),
        Command::Answer { sdp } => format!("200{}", hold(sdp)),
        Command::Refuse { status } => format!("refuse {status}"),
        Command::Invite { leg, callee, .. } => format!("invite {} as {}", who(callee), leg.index),
        Command::Adopt { leg, callee, from } => {
            format!("adopt leg {} to {} as {}", from.index, who(callee), leg.index)
        }
        Command::Reoffer { leg, .. } => format!("re-INVITE {}", leg.index),
        Command::HangUp { leg, why } => {
            let elsewhere = if *why == Clearing::Elsewhere { ", served elsewhere" } else { "" };
            format!("hang up {}{elsewhere}", leg.index)
        }
        Command::AcceptRefer { leg, .. } => format!("202 to REFER of {}", leg.index),
        Command::RefuseRefer { leg, status, .. } => format!("{status} to REFER of {}", leg.index),
        Command::NotifyRefer { leg, status, .. } => format!("NOTIFY {} of {status}", leg.index),
        Command::WantSeat { seats, beside, ring } => {
            let seats: Vec<String> = seats.iter().map(ToString::to_string).collect();
            let ring = ring.map_or_else(String::new, |ring| format!(" for {} s", ring.as_secs()));
            format!("want seat {}{}{ring}", seats.join("|"), if *beside { " beside" } else { "" })
        }
        Command::LookUp { asked, source, by } => format!("ask {source} {asked} by {by:?}"),
        Command::TalkWithBot { talk, leg, bot } => format!("talk {talk} with bot {bot} as {}", leg.index),
        Command::TellBot { talk, digit } => format!("key {digit} in talk {talk}"),
        Command::LeaveBot { talk, end } => format!("leave talk {talk}: {}", end.word()),
        Command::TakeOver { leg, sdp } => format!("200 in place of {}{}", leg.index, hold(sdp)),
        Command::RefuseTakeOver { leg, status } => format!("{status} in place of {}", leg.index),
        Command::AnswerOffer { leg, sdp } => format!("200 to re-INVITE of {}{}", leg.index, hold(sdp)),
        Command::RefuseOffer { leg, status } => format!("{status} to re-INVITE of {}", leg.index),
        Command::RefuseDescription { leg, why } => format!("488 to re-INVITE of {}: {why}", leg.index),
        Command::Probe { leg } => format!("OPTIONS to {}", leg.index),
        Command::Sound(order) => sound(order, sounds),
        Command::JoinQueue { queue, first: false } => format!("join {queue}"),
        Command::JoinQueue { queue, first: true } => format!("join {queue} at its head"),
        Command::KeepPlace => "keep the place".to_owned(),
        Command::LeaveQueue => "leave queue".to_owned(),
        Command::SeatAnswered { seat } => format!("seat {seat} answered"),
        Command::Bridged => "bridged".to_owned(),
        Command::OfferFailed { seat, status } => format!("seat {seat} did not take it: {status}"),
        Command::Press { leg, keys } => format!("info {keys} to {}", leg.index),
        Command::SeatLeft { seat, vanished: false } => format!("seat {seat} is free"),
        Command::SeatLeft { seat, vanished: true } => format!("seat {seat} vanished"),
        Command::Watching => "can listen".to_owned(),
        Command::Watch { how: Some(how), .. } => format!("listens as {how:?}"),
        Command::Watch { how: None, .. } => "listens no more".to_owned(),
        Command::TakeWatched { .. } => "takes it over".to_owned(),
        Command::ObserverMayHear => "observers may hear".to_owned(),
        Command::ObserverMayNotHear => "observers may not hear".to_owned(),
        Command::Tell(told) => format!("told {}", told_words(told)),
        Command::Over => "over".to_owned(),
    }
}

fn who(callee: &Callee) -> String {
    match callee {
        Callee::Seat(seat) => format!("seat {seat}"),
        Callee::Peer { trunk, number } => format!("{number} by {trunk}"),
    }
}

fn with(sdp: bool) -> &'static str {
    if sdp { " with sound" } else { "" }
}

/// Nothing for sound both ways.
fn hold(sdp: &Sdp) -> &'static str {
    match sdp.media.first().and_then(|media| media.direction) {
        Some(Direction::RecvOnly) => " recvonly",
        Some(Direction::SendOnly) => " sendonly",
        Some(Direction::Inactive) => " inactive",
        Some(Direction::SendRecv) | None => "",
    }
}

fn flow(flow: Flow) -> &'static str {
    match flow {
        Flow::SendRecv => "",
        Flow::SendOnly => " send only",
        Flow::RecvOnly => " receive only",
        Flow::Inactive => " neither way",
    }
}

fn sound(order: &Order, sounds: &BTreeMap<PromptId, SoundId>) -> String {
    let name = |sound: &SoundId| {
        let named = sounds.iter().find(|(_, id)| *id == sound);
        named.map_or("?", |(prompt, _)| prompt.as_str()).to_owned()
    };
    match order {
        Order::Open { leg, config } => format!("open {}{}", leg.index, flow(config.flow)),
        Order::Change { leg, config } => format!("change {}{}", leg.index, flow(config.flow)),
        Order::Close { leg } => format!("close {}", leg.index),
        Order::Play { leg, sounds, repeat, .. } => {
            let how = if *repeat { "loop" } else { "play" };
            let names: Vec<String> = sounds.iter().map(name).collect();
            format!("{how} {}: {}", leg.index, names.join(" "))
        }
        Order::Quiet { leg } => format!("quiet {}", leg.index),
        Order::Bridge { a, b } => format!("bridge {} and {}", a.index, b.index),
        Order::Part { a, b } => format!("part {} and {}", a.index, b.index),
        Order::SendDigits { leg, digits } => format!("digits {digits} to {}", leg.index),
        Order::Record { caller, .. } => format!("record {}", caller.index),
        Order::TurnRecord { left, .. } => format!("record {} on the left", left.index),
        Order::StopRecord { .. } => "stop recording".to_owned(),
        Order::PauseRecord { .. } => "pause recording".to_owned(),
        Order::ResumeRecord { .. } => "resume recording".to_owned(),
        Order::Join { leg, conference, rights } if *conference == conference_of(leg.call) => {
            let how = match *rights {
                Rights::FULL => "",
                Rights { hears: false, heard_by: Audience::Nobody } => " on hold",
                _ => " otherwise",
            };
            format!("confer {}{how}", leg.index)
        }
        Order::Join { leg, conference, rights } => {
            format!("join {} to {} with {rights:?}", leg.index, conference.0)
        }
        Order::Leave { leg } => format!("leave {}", leg.index),
        Order::Move { leg, .. } => format!("move {}", leg.index),
    }
}

fn told_words(told: &Told) -> String {
    match told {
        Told::Answered { durable: true } => "answered".to_owned(),
        Told::Answered { durable: false } => "answered undurable".to_owned(),
        Told::Announced { prompt } => format!("announced {prompt}"),
        Told::DigitPressed { digit } => format!("digit {digit}"),
        Told::Urgent => "urgent".to_owned(),
        Told::ScriptBegun { script } => format!("flow {script}"),
        Told::ValueUnread { value } => format!("unread {value}"),
        Told::LookedUp { source, answer, took } => {
            format!("asked {source}: {answer:?} after {} ms", took.as_millis())
        }
        Told::RelayDeclined { number } => format!("{number} is rung too often"),
        Told::BotTalked { bot, end, took, lines, cut } => {
            let said: Vec<String> =
                lines.iter().map(|line| format!("{:?} {}", line.who, line.text)).collect();
            let (end, took, cut) = (end.word(), took.as_millis(), *cut);
            let cut = if cut > 0 { format!(", {cut} cut") } else { String::new() };
            format!("bot {bot}: {end} after {took} ms [{}]{cut}", said.join("; "))
        }
        Told::MessageLeft { name, from, to } => {
            format!("message {name} {}-{} ms", from.as_millis(), to.as_millis())
        }
        Told::Ordered { category, values, message, code } => {
            let message = message.map_or("no message".to_owned(), |(from, to)| {
                format!("message {}-{} ms", from.as_millis(), to.as_millis())
            });
            format!("ordered {category} {values:?} {message} code {code:?}")
        }
        Told::Queued { queue } => format!("queued in {queue}"),
        Told::SeatAnswered { seat, waited } => format!("seat {seat} after {} ms", waited.as_millis()),
        Told::SeatLeft { seat, talked, vanished } => {
            let how = if *vanished { "vanished" } else { "left" };
            format!("seat {seat} {how} after {} ms", talked.as_millis())
        }
        Told::CallerLeft { cause } => format!("caller left: {cause:?}"),
        Told::PeerDialled { number, .. } => format!("dialled {number}"),
        Told::PeerAnswered { number, .. } => format!("answered by {number}"),
        Told::PeerFailed { number, status, .. } => format!("failed {number}: {status}"),
        Told::Transfer { to, kind: TransferKind::Blind, step, .. } => format!("transfer to {to}: {step:?}"),
        Told::Transfer { to, kind, step, .. } => format!("{kind:?} transfer to {to}: {step:?}"),
        Told::Held { leg, holds } => format!("leg {leg} {}", if *holds { "holds" } else { "is back" }),
        Told::PeerLeft { trunk, number, talked } => {
            format!("{trunk}/{number} left after {} ms", talked.as_millis())
        }
        Told::SurveyReason { digit, grade, .. } => format!("survey reason {digit} for grade {grade}"),
        Told::Replaced { leg } => format!("replaced {leg}"),
        Told::RoomJoined => "in the room".to_owned(),
        Told::RoomLeft { stayed } => format!("out of the room after {} ms", stayed.as_millis()),
        Told::Missing { leg, what, .. } => format!("missing of {leg}: {what:?}"),
        Told::LegClosed { leg, .. } => format!("figures of {leg}"),
        Told::TicketLeft { reason } => format!("ticket {reason:?}"),
        Told::NotRelayed { name, why, number } => {
            format!("not rung by {name}: {} {number}", why.word()).trim().into()
        }
        Told::Surveyed { grade, subject: Subject::Talk } => format!("grade {grade}"),
        Told::Surveyed { grade, subject: Subject::Flow } => format!("grade {grade} of the flow"),
        Told::RecordingPaused { by } => format!("recording paused by {by}"),
        Told::RecordingResumed { by } => format!("recording resumed by {by}"),
        Told::Closed { cause, .. } => format!("closed {}", cause_words(*cause)),
    }
}

/// An ending in words.
pub fn cause_words(cause: Ending) -> String {
    format!("{cause:?}")
}
