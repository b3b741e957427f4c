//! `hotline records`, `tickets` and `ledger`: the database, read only, beside a running engine.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::io::store::{CallQuery, FILE, Reader, StoreError};
use crate::switchboard::fact::{Party, Sound};
use crate::switchboard::mask;
use crate::telemetry::CallRecord;

/// 查询 / Look things up
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 数据目录 / The data directory
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// 最多行数 / Rows at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub most: usize,
    /// 完整显示电话号码 / Show telephone numbers in full
    #[arg(long)]
    pub full: bool,
}

impl Args {
    fn number(&self, number: &str) -> String {
        if self.full { number.to_owned() } else { mask(number).to_string() }
    }

    fn print(&self, rows: impl FnOnce(&Reader) -> Result<Vec<String>, StoreError>) -> ExitCode {
        let read = Reader::open(&self.data.join(FILE)).and_then(|reader| rows(&reader));
        match read {
            Ok(rows) => {
                for row in rows {
                    println!("{row}");
                }
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("无法读取 / cannot be read: {error}");
                ExitCode::from(2)
            }
        }
    }
}

/// Call records, newest first.
pub fn records(args: &Args) -> ExitCode {
    args.print(|reader| {
        let query = CallQuery { most: args.most, ..CallQuery::default() };
        let row = |record: &CallRecord| {
            format!(
                "{} {} line={} caller={} ticket={} seat={} cause={} recording={}{}",
                record.opened_at,
                record.call,
                record.line,
                args.number(&record.caller),
                record.ticket,
                record.seat.as_ref().map_or("-", |seat| seat.as_str()),
                record.cause.map_or_else(|| "open".into(), |cause| format!("{cause:?}")),
                record.recording.as_deref().unwrap_or("-"),
                sound(record),
            )
        };
        Ok(reader.calls(&query)?.iter().map(row).collect())
    })
}

/// How a call sounded, a word for each leg that is over, and who was not heard.
fn sound(record: &CallRecord) -> String {
    let caller = record.sound.iter().map(|sound| ("caller".to_owned(), sound));
    let others = record.legs.iter().map(|leg| (leg.party.to_string(), &leg.sound));
    let mut words: String = caller.chain(others).map(|(who, sound)| leg_sound(&who, sound)).collect();
    for (what, parties) in [("one_way", &record.one_way), ("mute", &record.mute)] {
        if !parties.is_empty() {
            let parties: Vec<String> = parties.iter().map(Party::to_string).collect();
            words += &format!(" {what}={}", parties.join(","));
        }
    }
    words
}

/// ` sound[seat/1001]=PCMA,mos=4.31,…`: what we heard of the leg, and after `out` what it heard of us.
fn leg_sound(who: &str, sound: &Sound) -> String {
    let score = |mos_x100: u16| match mos_x100 {
        0 => "-".to_owned(),
        mos => format!("{:.2}", f64::from(mos) / 100.0),
    };
    let percent =
        |part: Option<f64>| part.map_or_else(|| "-".to_owned(), |part| format!("{:.2}%", part * 100.0));
    let codec = if sound.codec.is_empty() { "-" } else { &sound.codec };
    let mut word = format!(
        " sound[{who}]={codec},mos={},loss={},late={},duplicate={},jitter={:.1}ms,gap={}ms,rtt={:.1}ms",
        score(sound.mos_x100),
        percent(sound.missed()),
        sound.late,
        sound.duplicate,
        f64::from(sound.jitter_us) / 1_000.0,
        sound.gap_max_ms,
        f64::from(sound.round_trip_us) / 1_000.0,
    );
    if let Some(out) = &sound.outbound {
        let jitter = f64::from(out.jitter_us) / 1_000.0;
        word +=
            &format!(",out:mos={},loss={},jitter={jitter:.1}ms", score(out.mos_x100), percent(out.missed()));
    }
    for (name, ms) in [("mute", sound.mute_ms), ("unheard", sound.unheard_ms)] {
        if ms > 0 {
            word += &format!(",{name}={:.1}s", f64::from(ms) / 1_000.0);
        }
    }
    word
}

/// Tickets of the embedded office, newest first.
pub fn tickets(args: &Args) -> ExitCode {
    args.print(|reader| {
        let tickets = reader.tickets(args.most)?;
        let field = |ticket: &crate::io::store::Ticket, name: &str| match &ticket.data[name] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null => "-".into(),
            other => other.to_string(),
        };
        let row = |ticket: &crate::io::store::Ticket| {
            format!(
                "{} {} {} line={} caller={} seat={} grade={} cause={}",
                ticket.number,
                ticket.state,
                ticket.call,
                field(ticket, "line"),
                args.number(&field(ticket, "caller")),
                field(ticket, "seat"),
                field(ticket, "grade"),
                field(ticket, "cause"),
            )
        };
        Ok(tickets.iter().map(row).collect())
    })
}

/// The chain of accesses, newest first.
pub fn ledger(args: &Args) -> ExitCode {
    args.print(|reader| Ok(reader.ledger(None, args.most)?.into_iter().map(|row| row.json).collect()))
}
