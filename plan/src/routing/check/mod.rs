//! Whether a file that can be read makes sense: one small function a rule, all of them run.
//!
//! A rule looks at the tables, notes what is wrong, and never stops the others.

mod accounts;
mod addresses;
mod admin;
mod calendars;
mod callers;
mod calling;
mod cases;
mod centers;
mod codecs;
mod codes;
mod dials;
mod experts;
mod feeds;
mod figures;
mod heard;
mod hours;
mod in_use;
mod inward;
mod kb;
mod kpi;
mod lines;
mod meetings;
mod network;
mod notice;
mod peers;
mod people;
mod promises;
mod proofs;
mod queueing;
mod references;
mod retention;
mod returning;
mod rewriting;
mod same_way;
mod scripts;
mod sealing;
mod security;
mod skills;
mod sounds;
mod three_way;
mod trace;
mod transports;
mod trunk_terms;
mod trunks;
mod validity;
mod ways;

use std::time::Duration;

use super::diagnostic::Spot;
use super::prompts::ManifestTable;
use super::source::{Problems, Said};
use super::tables::RoutingTable;
use super::values::out_of_range;
use super::written;
use crate::time::Timestamp;

pub(super) use heard::{heard, told};
pub(super) use kb::FILE_FAULTS;
pub(super) use proofs::prove;
pub(super) use sounds::{in_use, sounds, wanted};
pub(super) use validity::{DATED, RUN_OUT};

/// Numbers that are never a line of ours, whether the file lists them as peers or not.
pub const EMERGENCY: [&str; 4] = ["110", "119", "120", "122"];

/// Runs every rule but those on the sounds themselves.
pub fn judge(table: &RoutingTable, manifest: Option<&ManifestTable>, problems: &mut Problems) {
    references::unique_names(table, problems);
    references::defined(table, manifest, problems);
    references::used(table, problems);
    lines::city(table, problems);
    lines::numbers(table, problems);
    lines::modes(table, problems);
    lines::primary(table, problems);
    lines::transitions(table, problems);
    in_use::aliases(table, problems);
    in_use::days(table, problems);
    in_use::within_the_calendar(table, problems);
    in_use::greetings(table, problems);
    meetings::meetings(table, problems);
    meetings::rooms(table, problems);
    notice::rows(table, problems);
    notice::listed(table, problems);
    notice::retired(table, problems);
    dials::dials(table, problems);
    centers::centers(table, problems);
    same_way::ways(table, problems);
    promises::figures(table, problems);
    returning::own_numbers(table, problems);
    promises::single_ways(table, problems);
    people::queues_are_served(table, problems);
    people::seats_serve(table, problems);
    skills::asked(table, problems);
    people::experts_are_known(table, problems);
    experts::lines_have_groups(table, problems);
    experts::groups(table, problems);
    experts::keys(table, problems);
    peers::peers(table, problems);
    three_way::leaving(table, problems);
    hours::bands(table, problems);
    hours::of_lines(table, problems);
    calendars::holidays(table, problems);
    calendars::calendars(table, problems);
    queueing::queues(table, problems);
    callers::lanes(table, problems);
    callers::policies(table, problems);
    callers::order(table, problems);
    callers::urgent(table, problems);
    callers::tokens(table, problems);
    calling::allowed(table, problems);
    calling::needed(table, problems);
    calling::prefixes(table, problems);
    codes::disposition(table, problems);
    codes::immediate(table, problems);
    kpi::kpi(table, problems);
    codes::away(table, problems);
    people::seat_numbers(table, problems);
    people::seats_are_alone(table, problems);
    people::recording_is_excused(table, problems);
    people::recordings_are_made(table, problems);
    sealing::recordings_are_sealed(table, problems);
    sealing::keys_are_single(table, problems);
    sealing::keys_lie_apart(table, problems);
    retention::said(table, problems);
    retention::classes(table, problems);
    retention::secret(table, problems);
    retention::told(table, manifest, problems);
    dials::domain(table, problems);
    accounts::secrets(table, problems);
    network::listeners(table, problems);
    transports::listeners(table, problems);
    transports::certificates(table, problems);
    transports::trunks(table, problems);
    network::rtp_ports(table, problems);
    network::session_expires(table, problems);
    network::trunks(table, problems);
    network::circles(table, problems);
    trunk_terms::terms(table, problems);
    trunks::far_sides(table, problems);
    trunks::bring_calls(table, problems);
    trunks::groups(table, problems);
    codecs::lists(table, problems);
    codecs::encryption(table, problems);
    codecs::groups(table, problems);
    rewriting::rewriting(table, problems);
    inward::numbers(table, problems);
    addresses::queries(table, problems);
    network::sinks(table, problems);
    feeds::outlets(table, problems);
    feeds::feeds(table, problems);
    trace::trace(table, problems);
    security::security(table, problems);
    admin::http(table, problems);
    scripts::scripts(table, problems);
    kb::kb(table, problems);
    cases::cases(table, problems);
    figures::figures(table, problems);
    ranges(table, problems);
    if !problems.any_error() {
        promises::unused(table, problems); // What is faulty may be unused for its fault.
        calendars::unused(table, problems);
    }
}

/// The rules that need to know what time it is.
pub fn judge_at(
    table: &RoutingTable,
    manifest: Option<&ManifestTable>,
    now: Timestamp,
    problems: &mut Problems,
) {
    callers::expired(table, now, problems);
    calendars::filled(table, now, problems);
    kb::over(table, now, problems);
    if let Some(manifest) = manifest {
        validity::prompts_hold(table, manifest, now, problems);
    }
}

/// No wait of length nothing, none without an end, no bound of none.
fn ranges(table: &RoutingTable, problems: &mut Problems) {
    let mut waits: Vec<&Option<Said<Duration>>> = Vec::new(); // Of people.
    let mut moments: Vec<&Option<Said<Duration>>> = Vec::new(); // Of machines.
    let mut rests: Vec<&Option<Said<Duration>>> = Vec::new();
    let mut bounds: Vec<&Option<Said<u32>>> = Vec::new();
    for queue in &table.queues {
        waits.extend([&queue.ring, &queue.wait_max, &queue.announce_every]);
        rests.extend([&queue.no_seat_wait, &queue.wrap_up, &queue.away]);
        bounds.push(&queue.length_max);
    }
    for trunk in &table.trunks {
        moments.push(&trunk.connect_timeout);
        bounds.push(&trunk.calls_max);
    }
    waits.extend(table.numbers.iter().map(|number| &number.ring));
    waits.extend(table.emergencies.iter().map(|peer| &peer.ring));
    moments.extend(table.sinks.iter().map(|sink| &sink.timeout));
    moments.extend(table.feeds.iter().map(|feed| &feed.timeout));
    waits.extend(table.network.iter().map(|network| &network.silence_max));
    rests.extend(table.network.iter().flat_map(|network| [&network.mute_max, &network.one_way_max]));
    if let Some(limits) = &table.limits {
        moments.push(&limits.durable_wait);
        waits.push(&limits.call_max);
        rests.push(&limits.drain_grace);
        bounds.push(&limits.calls_max);
    }
    waits.extend(table.survey.iter().map(|survey| &survey.wait));
    for (list, least) in [(waits, WAIT_MIN), (moments, MOMENT_MIN)] {
        for said in list.into_iter().flatten().filter(|said| !(least..=LONGEST).contains(&said.value)) {
            out_of_range(&said.spot, &format!("\"{}\"–\"24h\"", written::duration(least)), problems);
        }
    }
    for said in rests.into_iter().flatten().filter(|said| said.value > LONGEST) {
        out_of_range(&said.spot, "\"0s\"–\"24h\"", problems); // None at all is a choice: a ticket at once.
    }
    for said in bounds.into_iter().flatten() {
        if said.value == 0 {
            out_of_range(&said.spot, &format!("1–{}", u32::MAX), problems);
        }
    }
    let tries = table.survey.iter().filter_map(|survey| survey.tries.as_ref());
    for said in tries.filter(|said| !(1..=5).contains(&said.value)) {
        out_of_range(&said.spot, "1–5", problems);
    }
}

/// Nobody picks up, speaks or presses a key in less.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// No far end answers in less.
const MOMENT_MIN: Duration = Duration::from_millis(1);
/// Nothing that a caller or a leg waits for takes longer.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// Notes a key that the chosen mode or kind has no use for.
fn misplaced(spot: &Spot, choice: &str, problems: &mut Problems) {
    problems
        .error(
            "E0116",
            spot,
            format!("{} 对 {choice} 没有意义", spot.key),
            format!("{} means nothing for {choice}", spot.key),
        )
        .effect(
            "写在这里的意图不会生效，而没有人会察觉",
            "what it was meant to say would not happen, and nobody would notice",
        )
        .remedy("删去这一行，或改正所选的方式", "remove the line, or choose the mode that it belongs to");
}

/// Notes a key that the chosen mode or kind cannot do without.
fn needed(table: &Spot, key: &str, choice: &str, problems: &mut Problems) {
    let spot = Spot { key: format!("{}.{key}", table.key), ..table.clone() };
    problems
        .error(
            "E0102",
            &spot,
            format!("缺少 {}，{choice} 需要它", spot.key),
            format!("{} is missing, which {choice} needs", spot.key),
        )
        .effect(
            "引擎不知道怎样处理拨打这里的来电或送来的工单",
            "the engine would not know what to do with calls or tickets that come here",
        )
        .remedy(format!("加上 {key} = …"), format!("add {key} = …"));
}
