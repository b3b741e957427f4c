//! What becomes of a call that a seat's telephone makes: a code, a colleague's calls, a room, or somebody.
//!
//! In the order in which the house itself looks at it.

use super::super::diagnostic::Text;
use super::super::meeting::{Comer, SEATS};
use super::super::number::{self, Dialled};
use super::super::origins::Origins;
use super::super::outside::{Callable, Uncallable};
use super::super::peers::Platform;
use super::super::people::{MORE_WRAP_UP, SeatCode};
use super::super::plan::{DialledFrom, Peer, Plan, Seat, Step};
use super::super::watching::NoWatch;
use super::acts::{en_span, zh_span};
use super::deciding::Deciding;
use super::{Caller, Explanation, recorded_words};
use crate::time::Timestamp;

/// Heard by a seat that does not become what it dialled.
const WRONG_KEY: &str = "wrong_key";

impl Plan {
    /// What a clerk's own call from `seat` to `dialled` does at `at`.
    pub fn explain_seat(
        &self,
        origins: &Origins,
        seat: &Seat,
        dialled: &Dialled,
        at: Timestamp,
    ) -> Explanation {
        let mut deciding = Deciding::of(self, origins);
        deciding.seat(&seat.id, &["id"]);
        let mut found = None;
        let steps = if let Some(code) = self.seat_code(dialled) {
            self.code_words(&code, &mut deciding)
        } else if let Some(watched) = self.find_watch(seat, dialled) {
            deciding.said("work", "", &["watch_prefix"]);
            match watched {
                Ok((line, of)) => {
                    deciding.seat(&seat.id, &["role"]);
                    deciding.seat(&of, &["id", "role"]);
                    found = Some(line);
                    vec![
                        self.step_words(&Step::Answer, nobody()),
                        Text::new(
                            format!("监听座席 {of} 的通话，一个接一个，直到自己挂机"),
                            format!(
                                "listens to the calls of the seat {of}, one after another, until it hangs up"
                            ),
                        ),
                        recorded_words(false),
                    ]
                }
                Err(why) => self.unwatched_words(seat, dialled, why, &mut deciding),
            }
        } else if let Some(room) = self.find_room(Comer::Seat, dialled) {
            let flow = self.flow(&room.line, at);
            let line = &room.line;
            if let super::LineMode::Meeting(meeting) = &line.mode {
                deciding.meeting(meeting);
            }
            let steps =
                self.words(line, &flow, at, Caller { number: seat.id.as_str(), shown: seat.id.as_str() }).0;
            found = Some(room);
            steps
        } else {
            self.called_words(seat, dialled, at, &mut deciding)
        };
        self.explanation(SEATS, seat.id.as_str(), at, found, (steps, deciding.places()))
    }

    fn code_words(&self, code: &SeatCode, deciding: &mut Deciding<'_>) -> Vec<Text> {
        deciding.said("work", "", &["prefix"]);
        let (zh, en) = match code {
            SeatCode::Ready => ("座席示闲".to_owned(), "the seat is ready".to_owned()),
            SeatCode::Away(reason) => {
                deciding.said("work.away", reason, &["digit"]);
                (format!("座席离席（{reason}）"), format!("the seat is away ({reason})"))
            }
            SeatCode::MoreWrapUp => {
                deciding.said("work", "", &["wrap_up_max"]);
                let (more, most) = (MORE_WRAP_UP, self.work.wrap_up_max);
                (
                    format!("座席的整理时间延长 {}，合计最长 {}", zh_span(more), zh_span(most)),
                    format!("the seat's wrap-up is {} longer, {} at most", en_span(more), en_span(most)),
                )
            }
            SeatCode::Unknown => {
                let prefix = &self.work.prefix;
                return vec![Text::new(
                    format!("以 {prefix} 开头，却不是任何代码: 404 拒绝"),
                    format!("begins with {prefix} and is no code: refused with 404"),
                )];
            }
        };
        let word = code.word().unwrap_or_default();
        vec![
            self.said(&format!("{zh}，听到"), &format!("{en}, and hears"), &word.into()),
            self.said(
                "当时的状态不能这样改的，什么也不变，听到",
                "where it cannot become that from what it is, nothing changes, and it hears",
                &WRONG_KEY.into(),
            ),
        ]
    }

    fn unwatched_words(
        &self,
        seat: &Seat,
        dialled: &Dialled,
        why: NoWatch,
        deciding: &mut Deciding<'_>,
    ) -> Vec<Text> {
        let number = dialled.oldest_first(DialledFrom::RequestUri).find_map(number::user_of);
        let number = number.unwrap_or_default();
        let number = number.strip_prefix(self.work.watch_prefix.as_str()).unwrap_or(&number);
        let (id, role) = (&seat.id, seat.role.word());
        vec![match (why, self.seats.get(number)) {
            (NoWatch::NotAllowed, Some(of)) if of.id == *id => Text::new(
                "不能监听自己的通话: 403 拒绝",
                "nobody listens to their own calls: refused with 403",
            ),
            (NoWatch::NotAllowed, Some(of)) => {
                deciding.seat(id, &["role"]);
                deciding.seat(&of.id, &["id", "role"]);
                let (whose, their) = (&of.id, of.role.word());
                Text::new(
                    format!("座席 {id} 是 {role}，不能监听 {their} 座席 {whose} 的通话: 403 拒绝"),
                    format!(
                        "the seat {id}, a {role}, may not listen to the calls of {whose}, a {their}: refused with 403"
                    ),
                )
            }
            (NoWatch::NotAllowed | NoWatch::NoSuchSeat, _) => Text::new(
                format!("没有座席 {number} 可供监听: 404 拒绝"),
                format!("there is no seat {number} to listen to: refused with 404"),
            ),
        }]
    }

    /// A clerk's own call to somebody.
    fn called_words(
        &self,
        seat: &Seat,
        dialled: &Dialled,
        at: Timestamp,
        deciding: &mut Deciding<'_>,
    ) -> Vec<Text> {
        let uri = dialled.oldest_first(DialledFrom::RequestUri).next().unwrap_or_default();
        let callable = match self.dialled_by_seat(uri) {
            Ok(callable) => callable,
            Err(why) => {
                let closed = self.closed_door(Comer::Seat, dialled, deciding);
                return closed.unwrap_or_else(|| vec![self.uncallable_words(why, uri, deciding)]);
            }
        };
        let line = self.calling_line();
        let caller = Caller { number: line.as_str(), shown: line.as_str() };
        deciding.callable(&callable, caller, at);
        if !callable.is_open_to(seat.role) {
            deciding.seat(&seat.id, &["role"]);
            return vec![Text::new(
                format!("{} 座席不能呼叫外部号码: 403 拒绝", seat.role.word()),
                format!("a {} calls nobody outside: refused with 403", seat.role.word()),
            )];
        }
        let mut steps = match &callable {
            Callable::Emergency(peer) | Callable::Peer(peer) | Callable::Outside(peer) => {
                deciding.said("calling", "", &["line"]);
                let mut words = self.peer_words(peer, caller);
                words.extend(self.center_words(peer));
                words
            }
            Callable::Seat(of) if *of == seat.id => {
                return vec![Text::new("拨的是自己: 486 拒绝", "it dials itself: refused with 486")];
            }
            Callable::Seat(of) => vec![Text::new(
                format!("座席 {of} 空闲就向它振铃，否则 486 拒绝"),
                format!("rings the seat {of} if it is free, else refused with 486"),
            )],
            Callable::Group(group) => {
                let others = group.seats.iter().filter(|own| **own != seat.id);
                let others = others.map(|own| own.as_str()).collect::<Vec<_>>().join(", ");
                let (name, there) = (&group.name, self.presence(&group.hours, at));
                if others.is_empty() || !group.hours.are_open(at, &self.city.time_zone) {
                    return vec![Text::new(
                        format!("专家组 {name}{}: 486 拒绝", there.zh),
                        format!("the experts of {name} are {}: refused with 486", there.en),
                    )];
                }
                vec![Text::new(
                    format!("专家组 {name}（{others}）中空闲最久的一席振铃，都不空闲则 486 拒绝"),
                    format!(
                        "rings whoever of the experts of {name} ({others}) is free longest; refused with 486 if none is"
                    ),
                )]
            }
        };
        deciding.said("recording", "", &["enabled"]);
        steps.push(recorded_words(self.recording.enabled));
        steps
    }

    /// Whoever is called by a trunk sees the house's number.
    fn peer_words(&self, peer: &Peer, caller: Caller<'_>) -> Vec<Text> {
        let ways = self.ways_words(peer, caller);
        let line = caller.number;
        let platform = self.peers.of_way(peer).map(|own| self.signed_words(own));
        let words = vec![
            Text::new(
                format!("{}，无人接听就此结束", ways.zh),
                format!("{}; that is all if nobody answers", ways.en),
            ),
            Text::new(
                format!("对方看到的是本平台的 {line}，不是座席的号码"),
                format!("the far side is shown our {line}, and not the seat's number"),
            ),
        ];
        words.into_iter().chain(platform).collect()
    }

    /// What another platform is told of who hands a call over.
    fn signed_words(&self, own: &Platform) -> Text {
        let (org, city) = (self.city.org.as_deref().unwrap_or_default(), &self.city.name);
        let (name, most) = (&own.name, self.peers.hops_max(own));
        Text::new(
            format!(
                "{name}（{}）是热线的另一个平台，署名 {org} {city}；转接过 {most} 次或转给过它的电话不再转给它",
                own.org
            ),
            format!(
                "{name} ({}) is another platform of the hotline, for which calls are signed {org} {city}; none is handed to \
                 it that was handed on {most} times, or was there before",
                own.org
            ),
        )
    }

    /// What a clerk must know of a center for emergencies.
    fn center_words(&self, peer: &Peer) -> Vec<Text> {
        let Some((number, center)) = self.center_of(peer) else { return Vec::new() };
        let scope = center.words().map(|scope| {
            Text::new(format!("{number} 的受理范围: {scope}"), format!("the scope of {number}: {scope}"))
        });
        // The usual is not told: nobody leaves a caller to help that has not answered.
        let stay = (!center.stay).then(|| center.stay_words());
        scope.into_iter().chain(stay).collect()
    }

    fn uncallable_words(&self, why: Uncallable, uri: &str, deciding: &mut Deciding<'_>) -> Text {
        match why {
            Uncallable::NoCalling => Text::new(
                "不是本平台的紧急热线、分中心、部门、专家组或座席，而没有 [calling] 就不向外呼叫: 403 拒绝",
                "none of the plan's emergency numbers, sub-centers, departments, experts or seats, and nobody outside is \
                 called: there is no [calling]: refused with 403",
            ),
            Uncallable::OwnLine => {
                let line = self.city.normalise(uri);
                let line = line.as_ref().map_or("", |line| line.as_str());
                deciding.said("number", line, &["number", "mode"]);
                Text::new(
                    format!("{line} 是本平台供来电人拨打、排队等候的号码，座席不能拨打: 403 拒绝"),
                    format!(
                        "{line} is a line of our own, which callers queue for, and no seat: refused with 403"
                    ),
                )
            }
            Uncallable::NotAllowed => {
                deciding.said("calling", "", &["prefix", "allowed"]);
                let Some(calling) = &self.calling else {
                    return Text::new(
                        "不是可以呼叫的号码: 403 拒绝",
                        "not a number that may be called: refused with 403",
                    );
                };
                let prefix = &calling.prefix;
                Text::new(
                    format!(
                        "不在可以呼叫的号码之内（外部号码前加拨 {prefix}，其后须以 [calling] allowed 之一开头）: 403 拒绝"
                    ),
                    format!(
                        "not among the numbers that may be called (one outside stands behind {prefix}, and begins as one of \
                         [calling] allowed does): refused with 403"
                    ),
                )
            }
        }
    }
}

/// A seat is nobody's caller.
fn nobody() -> Caller<'static> {
    Caller { number: "", shown: "" }
}
