//! A database of another program version.

use std::path::Path;
use std::process::Command;

use hotline::io::store::{FILE, Opening, Reader, SCHEMA, StoreError};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::archive::{Archive, Folder, call, job, opened};

/// A store with a call in it, stamped by a program to come; the stamp is still in the log.
fn from_the_future(name: &str) -> Folder {
    let folder = Folder::new(name);
    let mut archive = Archive::start(&folder, &["office"]);
    archive.write(vec![job(opened(call(1), 1))]);
    assert_eq!(archive.store.close(), 0);
    let db = Connection::open(folder.path().join(FILE)).unwrap();
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    db.pragma_update(None, "user_version", SCHEMA + 1).unwrap();
    folder
}

fn bytes(folder: &Path) -> [Vec<u8>; 2] {
    [FILE.to_owned(), format!("{FILE}-wal")].map(|name| std::fs::read(folder.join(name)).unwrap())
}

#[test]
fn a_database_of_a_newer_program_is_refused_and_left_to_the_last_byte() {
    let folder = from_the_future("future");
    let before = bytes(folder.path());
    assert!(!before[1].is_empty(), "the log is not worked in yet");
    let refusals = [
        Opening::open(folder.path(), &["office".into()]).err().unwrap(),
        Reader::open(&folder.path().join(FILE)).err().unwrap(),
    ];
    for error in refusals {
        assert!(matches!(error, StoreError::Newer { found, .. } if found == SCHEMA + 1), "{error}");
    }
    assert!(bytes(folder.path()) == before, "the files have changed");
}

#[test]
fn the_engine_does_not_start_on_it_and_leaves_the_recordings_alone() {
    let folder = from_the_future("engine");
    let torn = folder.path().join("recordings/2021-09-01/torn.wav");
    std::fs::create_dir_all(torn.parent().unwrap()).unwrap();
    std::fs::write(&torn, b"RIFF half a header").unwrap();
    let before = bytes(folder.path());
    let ended = Command::new(env!("CARGO_BIN_EXE_hotline"))
        .args(["run", "--listen", "127.0.0.1:0", "--http", "off", "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("newer"), "{said}");
    assert!(bytes(folder.path()) == before);
    assert_eq!(std::fs::read(&torn).unwrap(), b"RIFF half a header");
}
