//! The file of one event a line, as whoever collects it finds it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hotline::io::secrets::Keyring;
use hotline::io::ticket_sink::{self, TicketSink};
use hotline::routing::feed::Pace;
use hotline::routing::plan::{Sink, SinkKind};
use hotline::tickets::event::{Outcome, StoredEvent};

use crate::contract::valid;
use crate::post::story;

struct Shelf {
    data: PathBuf,
    file: PathBuf,
}

impl Shelf {
    fn new(name: &str) -> Shelf {
        let data = std::env::temp_dir().join(format!("hotline-jsonl-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        std::fs::create_dir_all(&data).unwrap();
        Shelf { file: data.join("tickets/events.jsonl"), data }
    }

    /// A fresh adapter, as after a restart.
    fn adapter(&self) -> Arc<dyn TicketSink> {
        self.adapter_at("tickets/events.jsonl")
    }

    fn adapter_at(&self, path: &str) -> Arc<dyn TicketSink> {
        let kind = SinkKind::Jsonl { path: path.into() };
        let sink = Sink { name: "file".into(), kind, timeout: Duration::from_secs(5), pace: Pace::default() };
        ticket_sink::open(&sink, &mut Keyring::new(&self.data)).unwrap().unwrap()
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

fn deliver(adapter: &Arc<dyn TicketSink>, event: &StoredEvent) -> Outcome {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(adapter.deliver(event))
}

/// The file's lines, each a valid event.
fn lines(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is whole");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.iter().for_each(|line| drop(valid(line.as_bytes())));
    lines
}

fn jsons(events: &[StoredEvent]) -> Vec<String> {
    events.iter().map(|event| event.json.to_string()).collect()
}

#[test]
fn events_stand_in_the_file_line_by_line_across_a_restart() {
    let shelf = Shelf::new("append");
    let events: Vec<StoredEvent> = [story(1), story(2)].concat();
    for part in events.chunks(3) {
        let adapter = shelf.adapter();
        assert!(part.iter().all(|event| deliver(&adapter, event) == Outcome::Taken));
    }
    assert_eq!(lines(&shelf.file), jsons(&events));
}

#[test]
fn a_line_that_was_cut_short_is_taken_back_wherever_the_cut_was() {
    let shelf = Shelf::new("torn");
    let events = story(1);
    let whole: Vec<u8> = events.iter().flat_map(|event| [event.json.as_bytes(), b"\n"].concat()).collect();
    let first = events[0].json.len() + 1;
    std::fs::create_dir_all(shelf.file.parent().unwrap()).unwrap();
    for cut in (0..whole.len()).step_by(29).chain([first - 1, first, first + 1, whole.len() - 1, whole.len()])
    {
        std::fs::write(&shelf.file, &whole[..cut]).unwrap();
        let adapter = shelf.adapter();
        // Whatever was not taken comes again; here, the last event.
        assert_eq!(deliver(&adapter, &events[3]), Outcome::Taken);
        let kept = lines(&shelf.file);
        let before = &kept[..kept.len() - 1];
        assert!(jsons(&events).starts_with(before), "cut at {cut}: {before:?}");
        assert_eq!(*kept.last().unwrap(), *events[3].json);
        // A line that lacked its end only is whole.
        let ends =
            (1..=4).filter(|n| cut + 1 >= jsons(&events)[..*n].iter().map(|line| line.len() + 1).sum());
        assert_eq!(before.len(), ends.count(), "cut at {cut}");
    }
}

#[test]
fn a_tear_longer_than_a_block_goes_whole_and_what_was_before_it_stays() {
    let shelf = Shelf::new("long");
    let events = story(1);
    assert_eq!(deliver(&shelf.adapter(), &events[0]), Outcome::Taken);
    let mut bytes = std::fs::read(&shelf.file).unwrap();
    bytes.extend(b"{\"torn\":\"");
    bytes.extend(vec![b'x'; 10_000]);
    std::fs::write(&shelf.file, &bytes).unwrap();
    assert_eq!(deliver(&shelf.adapter(), &events[1]), Outcome::Taken);
    assert_eq!(lines(&shelf.file), jsons(&events[..2]));
}

#[test]
fn a_collector_may_take_the_file_away_while_the_engine_runs() {
    let shelf = Shelf::new("rotate");
    let adapter = shelf.adapter();
    let events = story(1);
    let away = shelf.data.join("collected.jsonl");
    assert!(events[..2].iter().all(|event| deliver(&adapter, event) == Outcome::Taken));
    std::fs::rename(&shelf.file, &away).unwrap();
    assert!(events[2..].iter().all(|event| deliver(&adapter, event) == Outcome::Taken));
    assert_eq!(lines(&away), jsons(&events[..2]));
    assert_eq!(lines(&shelf.file), jsons(&events[2..]));
}

#[test]
fn a_full_disk_means_later_and_is_not_taken_for_written() {
    let shelf = Shelf::new("full");
    // A device without any space stands for the disk.
    let adapter = shelf.adapter_at("/dev/full");
    let Outcome::Retry(why) = deliver(&adapter, &story(1)[0]) else {
        panic!("nothing was written");
    };
    assert!(why.contains("No space left"), "{why}");
    let gone = shelf.adapter();
    std::fs::remove_dir_all(shelf.file.parent().unwrap()).unwrap();
    assert!(
        matches!(deliver(&gone, &story(1)[0]), Outcome::Retry(_)),
        "a directory that is gone may come back"
    );
}
