//! What people see of the house: snapshots, with telephone numbers masked.

use serde_json::{Value, json};

use crate::acd::event::SeatState;
use crate::id::mask;
use crate::switchboard::Switchboard;
use crate::time::Now;

/// The house at this moment, as `/v1/snapshot` shows it.
pub fn snapshot(board: &Switchboard, now: Now) -> Value {
    let seats: Vec<Value> =
        board.acd().seats().map(|(seat, state)| seat_of(seat.as_str(), state, now)).collect();
    let queues: Vec<Value> = board
        .acd()
        .queues(now.mono)
        .iter()
        .map(|queue| json!({ "queue": queue.queue, "waiting": queue.waiting, "longest_wait_ms": queue.longest_wait.map(|wait| wait.as_millis() as u64) }))
        .collect();
    let calls: Vec<Value> = board
        .calls()
        .iter()
        .map(|(id, entry)| {
            json!({
                "call": id.to_string(),
                "line": entry.line,
                "caller": mask(entry.shown_caller()).to_string(),
                "ticket": entry.ticket,
                "state": entry.state(),
                "opened_at": entry.opened_at.to_string(),
            })
        })
        .collect();
    let counts = board.sip().counts();
    json!({
        "at": now.wall.to_string(),
        "draining": board.is_draining(),
        "plan": board.plan().digest,
        "kpi": board.plan().kpi.json(),
        "immediate": board.hand_ons().map(|(call, own, overdue)| json!({
            "call": call.to_string(), "code": own.code, "to": own.to, "due_at": own.due_at.to_string(),
            "overdue": overdue,
        })).collect::<Vec<_>>(),
        "calls": calls,
        "seats": seats,
        "queues": queues,
        "rooms": board.rooms().map(|(room, members)| json!({ "room": room, "members": members }))
            .collect::<Vec<_>>(),
        "outboxes": board.plan().outlets().zip(board.outboxes()).map(|(sink, outbox)| {
            json!({ "sink": sink.name, "owed": outbox.as_ref().map_or(0, |outbox| outbox.len()) })
        }).collect::<Vec<_>>(),
        "ports_in_use": board.ports_in_use(),
        "sip": {
            "sessions": counts.sessions,
            "dialogs": counts.dialogs,
            "transactions": counts.transactions,
            "bindings": counts.bindings,
        },
        "trunks": board.sip().trunks(now).iter().map(|trunk| {
            json!({
                "trunk": trunk.trunk,
                "up": trunk.up,
                "registered": trunk.registered,
                "calls": trunk.calls,
                "full": trunk.full,
            })
        }).collect::<Vec<_>>(),
        "turned_away": board.turned_away().iter().map(|(why, count)| {
            (format!("{why:?}"), Value::from(*count))
        }).collect::<serde_json::Map<_, _>>(),
    })
}

fn seat_of(seat: &str, state: &SeatState, now: Now) -> Value {
    let since = |at| now.mono.since(at).as_millis() as u64;
    match state {
        SeatState::SignedOut => json!({ "seat": seat, "state": "signed_out" }),
        SeatState::Ready { since: at } => json!({ "seat": seat, "state": "ready", "since_ms": since(*at) }),
        SeatState::Offered { call, .. } => {
            json!({ "seat": seat, "state": "offered", "call": call.to_string() })
        }
        SeatState::Talking { call, since: at } => {
            json!({ "seat": seat, "state": "talking", "call": call.to_string(), "since_ms": since(*at) })
        }
        SeatState::WrapUp { call, ends_at } => {
            let left = ends_at.since(now.mono).as_millis() as u64;
            json!({ "seat": seat, "state": "wrap_up", "call": call.to_string(), "left_ms": left })
        }
        SeatState::Away { since: at, .. } => json!({ "seat": seat, "state": "away", "since_ms": since(*at) }),
    }
}
