use super::*;
use crate::call::{BotLine, Voice};

const FRAME: Duration = Duration::from_millis(20);

fn begun(rate: u32) -> Talk {
    let format = Format::at(rate);
    let start = ToBot::Start {
        schema_version: 1,
        call: "c",
        ticket: "1",
        line: "12345",
        line_name: "热线",
        language: None,
        caller: "",
        sound: format,
    };
    Talk::new(format, &start)
}

/// A talk and its clock.
struct Room {
    talk: Talk,
    at: Duration,
}

impl Room {
    /// At 8 kHz, with `start` sent.
    fn new() -> Room {
        let mut talk = begun(8_000);
        assert!(matches!(talk.poll_frame(), Some(Sent::Text(start)) if start.contains("\"start\"")));
        Room { talk, at: Duration::ZERO }
    }

    fn tick(&mut self) -> Frame {
        self.at += FRAME;
        self.talk.handle_tick(self.at)
    }

    fn says(&mut self, text: &str) -> Vec<BotSaid> {
        self.talk.handle_frame(&Came::Text(text), self.at);
        self.told()
    }

    fn sounds(&mut self, level: i16) -> Vec<BotSaid> {
        self.talk.handle_frame(&Came::Sound(&bytes(level)), self.at);
        self.told()
    }

    fn told(&mut self) -> Vec<BotSaid> {
        std::iter::from_fn(|| self.talk.poll_output()).collect()
    }

    fn sent(&mut self) -> Vec<Sent> {
        std::iter::from_fn(|| self.talk.poll_frame()).collect()
    }
}

fn bytes(level: i16) -> Vec<u8> {
    level.to_le_bytes().repeat(FRAME_SAMPLES)
}

fn ended(end: BotEnd) -> Vec<BotSaid> {
    vec![BotSaid::Ended(end)]
}

#[test]
fn what_the_program_says_is_heard_frame_by_frame_by_our_clock_after_it_was_held_back_a_moment() {
    let mut room = Room::new();
    room.sounds(1);
    let heard: Vec<i16> = (0..4).map(|_| room.tick()[0]).collect();
    assert_eq!(heard, [0, 0, 1, 0], "one frame is held back for 60 ms");
    (2..=9).for_each(|level| drop(room.sounds(level)));
    let heard: Vec<i16> = (0..9).map(|_| room.tick()[0]).collect();
    assert_eq!(heard, [2, 3, 4, 5, 6, 7, 8, 9, 0], "several need no holding back");
}

#[test]
fn what_the_caller_says_is_sent_each_20_ms_and_silence_where_nothing_came() {
    let mut room = Room::new();
    room.talk.handle_sound([258; FRAME_SAMPLES]);
    room.tick();
    room.tick();
    assert_eq!(room.sent(), [Sent::Sound(bytes(258)), Sent::Sound(bytes(0))]);
    (0..50).for_each(|n| room.talk.handle_sound([n; FRAME_SAMPLES]));
    room.tick();
    assert_eq!(room.sent(), [Sent::Sound(bytes(40))], "of what piles up the oldest is dropped");
}

#[test]
fn at_16_khz_frames_are_twice_as_long_both_ways() {
    let mut talk = begun(16_000);
    talk.poll_frame();
    talk.handle_frame(&Came::Sound(&bytes(100).repeat(2)), FRAME);
    talk.handle_frame(&Came::Sound(&bytes(100).repeat(2)), FRAME);
    talk.handle_frame(&Came::Sound(&bytes(100).repeat(2)), FRAME);
    talk.handle_sound([100; FRAME_SAMPLES]);
    let frame = talk.handle_tick(2 * FRAME);
    assert!((frame[159] - 100).abs() < 3, "{}", frame[159]);
    let Some(Sent::Sound(sent)) = talk.poll_frame() else { panic!("sound") };
    assert_eq!(sent.len(), 640);
    assert_eq!(talk.poll_output(), None);
    talk.handle_frame(&Came::Sound(&bytes(1)), FRAME);
    assert_eq!(talk.poll_output(), Some(BotSaid::Ended(BotEnd::Malformed)), "a frame of the other rate");
}

#[test]
fn lines_are_told_as_they_come_and_dated() {
    let mut room = Room::new();
    (0..5).for_each(|_| assert_eq!(room.tick(), [0; FRAME_SAMPLES]));
    let line = |who, text: &str, at_ms| BotSaid::Line(BotLine { who, text: text.into(), at_ms });
    let said = room.says(r#"{"type":"transcript","who":"caller","text":"路灯坏了"}"#);
    assert_eq!(said, [line(Voice::Caller, "路灯坏了", 100)]);
    let said = room.says(r#"{"type":"transcript","who":"bot","text":"在哪里？","at_ms":60}"#);
    assert_eq!(said, [line(Voice::Bot, "在哪里？", 60)]);
    assert_eq!(room.says(r#"{"type":"transcript","who":"bot","text":"  "}"#), []);
    assert_eq!(room.says(r#"{"type":"of a later version"}"#), []);
}

#[test]
fn the_last_words_are_heard_out_before_the_end_is_told_and_nothing_behind_them() {
    for (text, wanted) in [
        (r#"{"type":"person"}"#, BotSaid::Person),
        (
            r#"{"type":"done","outcome":"answered","values":{"street":"建设路"}}"#,
            BotSaid::Done {
                outcome: Some("answered".into()),
                values: [("street".to_owned(), "建设路".to_owned())].into(),
            },
        ),
    ] {
        let mut room = Room::new();
        room.sounds(1);
        room.sounds(2);
        assert_eq!(room.says(text), []);
        room.sounds(3);
        room.talk.handle_frame(&Came::Lost(BotEnd::Closed), room.at);
        assert_eq!((room.tick()[0], room.told()), (1, vec![]));
        assert_eq!((room.tick()[0], room.told()), (2, vec![]));
        assert_eq!((room.tick()[0], room.told()), (0, vec![wanted]));
        assert_eq!(room.says(r#"{"type":"person"}"#), [], "once");
    }
}

#[test]
fn what_is_not_to_be_heard_any_more_is_not() {
    let mut room = Room::new();
    (1..=5).for_each(|level| drop(room.sounds(level)));
    assert_eq!(room.tick()[0], 1);
    room.says(r#"{"type":"hush"}"#);
    assert_eq!(room.tick()[0], 0);
}

#[test]
fn what_is_none_of_the_contract_ends_the_talk_row_by_row() {
    let long = format!(r#"{{"type":"transcript","who":"bot","text":"{}"}}"#, "x".repeat(TEXT_MAX));
    let (short, longer, odd) = (vec![0; 318], vec![0; 322], vec![0; 319]);
    let rows: [(Came<'_>, BotEnd); 11] = [
        (Came::Text("hello"), BotEnd::Malformed),
        (Came::Text("{"), BotEnd::Malformed),
        (Came::Text(r#"{"type":"transcript"}"#), BotEnd::Malformed),
        (Came::Text(r#"{"type":"done","values":"all"}"#), BotEnd::Malformed),
        (Came::Text(&long), BotEnd::Oversized),
        (Came::Sound(&[]), BotEnd::Malformed),
        (Came::Sound(&short), BotEnd::Malformed),
        (Came::Sound(&odd), BotEnd::Malformed),
        (Came::Sound(&longer), BotEnd::Oversized),
        (Came::Lost(BotEnd::Closed), BotEnd::Closed),
        (Came::Lost(BotEnd::Oversized), BotEnd::Oversized),
    ];
    for (came, end) in rows {
        let mut room = Room::new();
        room.sounds(7);
        room.talk.handle_frame(&came, room.at);
        assert_eq!(room.told(), ended(end), "{came:?}");
        assert_eq!(room.tick(), [0; FRAME_SAMPLES], "nothing of it is heard any more");
        room.talk.handle_frame(&came, room.at);
        assert_eq!(room.told(), [], "told once");
    }
}

#[test]
fn a_program_that_speaks_faster_than_it_is_heard_is_kept_to_ten_seconds_and_then_given_up() {
    let mut room = Room::new();
    let mut given_up = 0;
    for n in 0..3_000 {
        if n % 2 == 0 {
            room.tick(); // Twice as fast.
            room.sent();
        }
        assert!(room.talk.heard.len() <= HEARD_MAX);
        let told = room.sounds(1);
        if !told.is_empty() {
            assert_eq!(told, ended(BotEnd::Flooded));
            given_up = n;
            break;
        }
    }
    assert!((1_900..2_100).contains(&given_up), "500 kept, 500 dropped, and as many heard: {given_up}");
}

#[test]
fn a_flood_of_frames_of_any_kind_is_given_up() {
    let mut pings = Room::new();
    let frames = (0..).take_while(|_| {
        pings.talk.handle_frame(&Came::Control, pings.at);
        pings.told().is_empty()
    });
    assert_eq!(frames.count(), FRAMES_MAX as usize);

    let mut texts = Room::new();
    let mut count = 0;
    while texts.says(r#"{"type":"hush"}"#).is_empty() {
        count += 1;
        texts.tick();
        texts.sent();
    }
    assert_eq!(count, TEXTS_MAX);
}

#[test]
fn a_program_that_says_nothing_at_all_has_hung_and_one_that_does_has_not() {
    let mut room = Room::new();
    let ticks = (SILENT_MAX.as_millis() / FRAME.as_millis()) as usize;
    for _ in 0..ticks {
        room.tick();
        room.sent();
    }
    room.talk.handle_frame(&Came::Control, room.at);
    assert_eq!(room.told(), []);
    room.tick();
    assert_eq!(room.told(), ended(BotEnd::Silent), "a pong is no word");

    let mut talks = Room::new();
    for n in 0..3 * ticks {
        talks.tick();
        talks.sent();
        if n % ticks == 0 {
            talks.sounds(0);
        }
        assert_eq!(talks.told(), [], "{n}");
    }
}

#[test]
fn a_program_that_takes_nothing_is_sent_the_newest_and_then_given_up() {
    let mut room = Room::new();
    let mut ticks: u32 = 0;
    while room.told().is_empty() {
        room.talk.handle_sound([ticks as i16; FRAME_SAMPLES]);
        room.sounds(0);
        room.tick();
        ticks += 1;
        assert!(room.talk.to_bot.len() <= SPOKEN_MAX);
    }
    assert_eq!(ticks, SPOKEN_MAX as u32 + SLOW_MAX + 1);

    let mut late = Room::new();
    for n in 0..150 {
        late.talk.handle_sound([n; FRAME_SAMPLES]);
        late.tick();
    }
    assert_eq!(late.talk.poll_frame(), Some(Sent::Sound(bytes(50))), "two seconds are kept");
    for n in 0..1_000 {
        late.sounds(0);
        late.tick();
        late.talk.poll_frame();
        assert_eq!(late.told(), [], "one that goes on taking is not given up: {n}");
    }
}

#[test]
fn keys_and_the_end_are_told_in_order_and_sound_is_not_sent_behind_the_end() {
    let mut room = Room::new();
    room.tick();
    room.talk.handle_key('5', room.at);
    room.tick();
    room.talk.handle_stop(BotEnd::Key, room.at);
    room.talk.handle_key('6', room.at);
    room.tick();
    let dtmf = Sent::Text(r#"{"type":"dtmf","digit":"5","at_ms":20}"#.into());
    let stop = Sent::Text(r#"{"type":"stop","reason":"key","at_ms":40}"#.into());
    assert_eq!(room.sent(), [dtmf, stop]);

    let mut many = Room::new();
    (0..1_000).for_each(|_| many.talk.handle_key('1', many.at));
    assert_eq!(many.sent().len(), KEYS_MAX);
}
