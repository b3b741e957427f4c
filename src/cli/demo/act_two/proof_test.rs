//! A scene's books as they should be have no faults, and whatever is missing is named.

use std::path::Path;

use serde_json::json;

use super::*;
use crate::cli::sounds::tone;
use crate::id::{CallId, Dice};
use crate::switchboard::fact::{ObjectKind, TransferKind};
use crate::telemetry::transfers::StepTime;
use crate::time::Timestamp;

fn stay(party: Party, talked_ms: u64, consulted_ms: u64) -> PartyTime {
    PartyTime {
        party,
        leg: None,
        object: None,
        joined_ms: 0,
        left_ms: Some(9_000),
        talked_ms,
        held_ms: 0,
        consulted_ms,
    }
}

fn center() -> Object {
    Object { kind: ObjectKind::SubCenter, id: "12366".into() }
}

fn record() -> CallRecord {
    let mut record = CallRecord::new(CallId::draw(1, &mut Dice::seeded(1)));
    let peer = Party::Peer { trunk: "sub".into(), number: "12366".into() };
    record.times.parties = vec![
        stay(Party::Caller, 4_000, 0),
        stay(Party::Seat { seat: "1001".into() }, 3_000, 2_000),
        stay(peer, 2_000, 2_000),
    ];
    (record.times.with_somebody_ms, record.times.on_hold_ms, record.times.alone_ms) = (4_000, 2_000, 3_000);
    (record.lasted_ms, record.answered_ms) = (Some(9_000), Some(9_000));
    let steps = [Taken::Requested, Taken::Ringing, Taken::Consulting, Taken::Merged, Taken::Left];
    record.reached.transfers = vec![TransferTime {
        to: "12366".into(),
        kind: TransferKind::Consult,
        object: Some(center()),
        leg: Some(2),
        steps: steps.map(|step| StepTime { step, at_ms: 1 }).to_vec(),
        status: None,
    }];
    (record.grade, record.cause) = (Some(2), Some(Cause::Completed));
    record
}

fn ticket() -> Ticket {
    let at = "2021-09-01T09:00:00+08:00";
    Ticket {
        number: "21090100001".into(),
        call: CallId::draw(1, &mut Dice::seeded(1)),
        sequence: 9,
        state: "closed".into(),
        kind: "hotline.call.closed.v1".into(),
        opened_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        data: json!({
            "parties": [{"party": "seat", "seat": "1001", "left_at": at},
                        {"party": "peer", "number": "12366", "left_at": at}],
            "transfers": [{"to": "12366", "object": "12366", "step": "left"}],
        }),
    }
}

/// Nine seconds: the caller left; right the clerk, and after five seconds the center.
fn write(file: &Path, [caller, clerk, center]: [u32; 3]) {
    write_sides(file, &tone(caller).repeat(9), &[tone(clerk).repeat(5), tone(center).repeat(4)].concat());
}

fn write_sides(file: &Path, left: &[i16], right: &[i16]) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(file, spec).unwrap();
    for (left, right) in left.iter().zip(right) {
        wav.write_sample(*left).unwrap();
        wav.write_sample(*right).unwrap();
    }
    wav.finalize().unwrap();
}

fn faults(name: &str, spoil: impl FnOnce(&mut Case)) -> String {
    let file = std::env::temp_dir().join(format!("hotline-proof-{name}-{}.wav", std::process::id()));
    write(&file, [500, 1_900, 1_940]);
    let mut case = Case {
        prompts: Vec::new(),
        music: Some((tone(330).to_vec(), tone(330).repeat(2))),
        heard: Vec::new(),
        caller_voice: 500,
        other_voices: vec![1_900, 1_940],
        voices: vec![500, 540, 1_900, 1_940],
        record: Some(Box::new(record())),
        transfers: vec![vec![Taken::Requested, Taken::Consulting, Taken::Merged, Taken::Left]],
        object: center(),
        refused_with: 486,
        stays: vec![
            Stay { who: Who::Seat("1001".into()), consulted: true, waited: false },
            Stay { who: Who::Peer("12366".into()), consulted: true, waited: false },
        ],
        grade: Some(2),
        reason: None,
        cause: Cause::Completed,
        ticket: Some(ticket()),
        ticket_reason: None,
        recording: Some(file.clone()),
        files: 1,
        recorded: true,
        faults: Vec::new(),
    };
    spoil(&mut case);
    let verdict = judge(case);
    std::fs::remove_file(&file).unwrap();
    verdict.faults.join("\n")
}

#[test]
fn a_transfer_as_it_should_be_has_no_faults() {
    assert_eq!(faults("whole", |_| {}), "");
}

#[test]
fn what_is_missing_on_record_and_ticket_is_named() {
    let steps = faults("steps", |case| case.transfers[0].truncate(3));
    assert!(steps.starts_with("记录的转接步骤") && steps.contains("工单的转接"), "{steps}");
    let object = faults("object", |case| case.object.id = "12313".into());
    assert!(object.contains("the record's transfer: consult"), "{object}");
    let gone = faults("gone", |case| drop(case.stays.pop()));
    assert!(gone.contains("somebody else is on the record: sub/12366"), "{gone}");
    let minutes = faults("minutes", |case| {
        case.record.as_mut().unwrap().times.parties[2].consulted_ms = 0;
    });
    assert!(minutes.contains("minutes on the record: 12366"), "{minutes}");
    let parts = faults("parts", |case| case.record.as_mut().unwrap().times.alone_ms += 1);
    assert!(parts.contains("9001 ms of Some(9000)"), "{parts}");
    let reason = faults("reason", |case| case.ticket_reason = Some("transfer_failed/x".into()));
    assert!(reason.contains("the ticket's reason: null"), "{reason}");
    let grade = faults("grade", |case| (case.grade, case.reason) = (Some(4), Some(3)));
    assert!(grade.contains("Some(2)") && grade.contains("the ticket's reason of the grade"), "{grade}");
    let nothing = faults("nothing", |case| (case.record, case.ticket) = (None, None));
    assert!(nothing.contains("no call record") && nothing.contains("no ticket"), "{nothing}");
}

#[test]
fn what_is_missing_in_the_sound_is_named() {
    let music = faults("music", |case| case.music = Some((tone(330).to_vec(), tone(1_900).repeat(2))));
    assert_eq!(music, "来电人没听到音乐 music / the caller did not hear 音乐 music");
    let two = faults("two", |case| case.files = 2);
    assert!(two.contains("not one file: 2"), "{two}");
    let short = faults("short", |case| case.record.as_mut().unwrap().answered_ms = Some(12_000));
    assert!(short.contains("9000 ms of 12000 ms"), "{short}");
    let lacks = faults("lacks", |case| write(case.recording.as_ref().unwrap(), [500, 1_900, 1_900]));
    assert!(lacks.contains("the recording's right: lacks 1940 Hz"), "{lacks}");
    let crossed = faults("crossed", |case| {
        let two: Vec<i16> = tone(1_900).iter().zip(&*tone(1_940)).map(|(a, b)| a + b).collect();
        write_sides(case.recording.as_ref().unwrap(), &tone(500).repeat(9), &two.repeat(9));
        case.other_voices = vec![1_900];
    });
    assert!(crossed.contains("the recording's right: crossed with 1940 Hz"), "{crossed}");
    let swapped = faults("swapped", |case| write(case.recording.as_ref().unwrap(), [540, 1_900, 1_940]));
    assert!(swapped.contains("the recording's left: lacks 500 Hz"), "{swapped}");
}
