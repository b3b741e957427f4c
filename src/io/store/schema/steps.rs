//! The shapes of the database, version by version: what each adds to the one before.

use super::SCHEMA;

const VERSION_1: &str = "
CREATE TABLE calls (
    arrival INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    ticket TEXT NOT NULL,
    line TEXT NOT NULL,
    dialled TEXT NOT NULL,
    caller TEXT NOT NULL,
    trunk TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    answered_at TEXT,
    queue TEXT,
    seat TEXT,
    waited_ms INTEGER NOT NULL,
    talked_ms INTEGER NOT NULL,
    grade INTEGER,
    cause TEXT,
    lasted_ms INTEGER,
    recording TEXT,
    recording_ms INTEGER,
    recording_lost INTEGER NOT NULL,
    undurable INTEGER NOT NULL,
    shifted_clock INTEGER NOT NULL,
    wire_ref TEXT NOT NULL
) STRICT;
CREATE INDEX calls_open ON calls(arrival) WHERE cause IS NULL;
CREATE INDEX calls_caller ON calls(caller, arrival) WHERE caller <> '';
CREATE TABLE facts (
    call TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    at TEXT NOT NULL,
    mono_ns INTEGER NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (call, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    arrival INTEGER PRIMARY KEY,
    call TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (call, sequence)
) STRICT;
CREATE TABLE owed (
    sink TEXT NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (sink, event)
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letters (
    sink TEXT NOT NULL,
    event INTEGER NOT NULL,
    at TEXT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (sink, event)
) STRICT, WITHOUT ROWID;
CREATE TABLE bindings (
    seat TEXT PRIMARY KEY,
    contact TEXT NOT NULL,
    flow TEXT NOT NULL,
    listener INTEGER NOT NULL,
    expires_at TEXT NOT NULL,
    call_id TEXT NOT NULL,
    cseq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE ledger (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    json TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TABLE tickets (
    number TEXT PRIMARY KEY,
    call TEXT NOT NULL UNIQUE,
    sequence INTEGER NOT NULL,
    state TEXT NOT NULL,
    kind TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Outboxes read what is owed by call and sequence: the table is in that order. Whether a partial
/// index of callers serves depends on who is asked for: a whole one serves at once.
const VERSION_2: &str = "
CREATE TABLE owed_2 (
    sink TEXT NOT NULL,
    call TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (sink, call, sequence)
) STRICT, WITHOUT ROWID;
INSERT INTO owed_2 SELECT sink, call, sequence, event FROM owed JOIN events ON arrival = event;
DROP TABLE owed;
ALTER TABLE owed_2 RENAME TO owed;
DROP INDEX calls_caller;
CREATE INDEX calls_caller ON calls(caller, arrival);
";

/// A call that opens touches one small table beside its fact; its row among the calls is written once,
/// when it is over. `arrival` is its place in the order in which calls came.
const VERSION_3: &str = "
CREATE TABLE opened (
    arrival INTEGER PRIMARY KEY,
    call TEXT NOT NULL
) STRICT;
INSERT INTO opened SELECT arrival, id FROM calls WHERE cause IS NULL;
DELETE FROM calls WHERE cause IS NULL;
DROP INDEX calls_open;
";

/// The manifest of recordings. `track` is the index of the leg that a file holds alone, -1 for both
/// sides; `gaps` and `pauses` are lists of samples, from and until.
const VERSION_4: &str = "
CREATE TABLE recordings (
    call TEXT NOT NULL,
    track INTEGER NOT NULL,
    file TEXT NOT NULL UNIQUE,
    format TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    lost_frames INTEGER NOT NULL,
    gaps TEXT NOT NULL,
    pauses TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (call, track)
) STRICT, WITHOUT ROWID;
";

/// What seats became, in the order in which it came. `sequence` begins anew with each process.
const SEAT_FACTS: &str = "
CREATE TABLE seat_facts (
    arrival INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL,
    seat TEXT NOT NULL,
    at TEXT NOT NULL,
    mono_ns INTEGER NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL,
    call TEXT,
    who TEXT,
    UNIQUE (at, sequence)
) STRICT;
CREATE INDEX seat_facts_seat ON seat_facts(seat, arrival);
";

/// A column for each fact's place among all facts of the house. Those of earlier versions are numbered by
/// [`migrate`](super::migrate), call by call: nobody has been told their places.
const PLACES: &str = "ALTER TABLE facts ADD COLUMN house INTEGER NOT NULL DEFAULT 0;";

/// Behind them seats' as they came. The indices are not unique: a fact is worth more than its place.
const PLACES_OF_SEATS: &str = "
CREATE INDEX facts_house ON facts(house);
ALTER TABLE seat_facts ADD COLUMN house INTEGER NOT NULL DEFAULT 0;
UPDATE seat_facts SET house = arrival + (SELECT coalesce(max(house), 0) FROM facts);
CREATE INDEX seat_facts_house ON seat_facts(house);
";

/// Where the office is with a ticket, and the pick-up code that its caller was told; tickets that nobody ordered or
/// said anything of have no row. Hot notices with their sound: 16-bit samples at 8 kHz, little-endian.
const CASES_AND_NOTICES: &str = "
CREATE TABLE cases (
    number TEXT PRIMARY KEY,
    call TEXT NOT NULL UNIQUE,
    code TEXT,
    opened_at TEXT NOT NULL,
    state TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL,
    prompt TEXT,
    sound BLOB NOT NULL,
    lines TEXT NOT NULL,
    starts_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    ends_ms INTEGER NOT NULL,
    approver TEXT NOT NULL,
    reason TEXT NOT NULL,
    added_by TEXT NOT NULL,
    added_at TEXT NOT NULL,
    ended_by TEXT
) STRICT;
CREATE INDEX notices_end ON notices(ends_ms);
";

/// Which calls have fallen into which feed of a department, each feed's events by their places, from 1 without holes, and
/// how far the totals of its days have counted.
const FEEDS: &str = "
CREATE TABLE feed_calls (
    call TEXT NOT NULL,
    feed TEXT NOT NULL,
    PRIMARY KEY (call, feed)
) STRICT, WITHOUT ROWID;
CREATE TABLE feed_events (
    feed TEXT NOT NULL,
    place INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (feed, place)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX feed_events_event ON feed_events(feed, event);
CREATE TABLE feed_totals (
    feed TEXT NOT NULL,
    day TEXT NOT NULL,
    last_place INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (feed, day)
) STRICT, WITHOUT ROWID;
";

/// What was removed of the recordings, when and by which class, and whether the file is known to be gone; and whose
/// recordings are kept whatever their term. What is there is found without looking at what is not.
const REMOVALS: &str = "
ALTER TABLE recordings ADD COLUMN removed_at TEXT;
ALTER TABLE recordings ADD COLUMN removed_class TEXT;
ALTER TABLE recordings ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
CREATE INDEX recordings_there ON recordings(file) WHERE removed_at IS NULL;
CREATE INDEX recordings_leaving ON recordings(file) WHERE removed_at IS NOT NULL AND gone = 0;
CREATE TABLE recording_holds (
    call TEXT PRIMARY KEY,
    held_by TEXT NOT NULL,
    at TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// One part of a step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// Statements.
    Sql(&'static str),
    /// Every fact of a call gets its number in `house`, in the order of their keys: in a database of years
    /// this takes minutes.
    NumberFacts,
}

/// What brings each version to the next.
pub(super) const STEPS: [&[Part]; SCHEMA as usize] = [
    &[Part::Sql(VERSION_1)],
    &[Part::Sql(VERSION_2)],
    &[Part::Sql(VERSION_3)],
    &[Part::Sql(VERSION_4)],
    &[Part::Sql(SEAT_FACTS)],
    &[Part::Sql(PLACES), Part::NumberFacts, Part::Sql(PLACES_OF_SEATS)],
    &[Part::Sql(CASES_AND_NOTICES)],
    &[Part::Sql(FEEDS), Part::Sql(REMOVALS)],
];
