//! The checks of the fuzz targets over their seeds: so that neither rots between two runs of
//! `tools/fuzz/run`. Inputs that once failed stay among the seeds.

use std::path::{Path, PathBuf};

#[path = "../tools/fuzz/checks/endpoint.rs"]
mod endpoint;
#[path = "../tools/fuzz/checks/framing.rs"]
mod framing;
#[path = "../tools/fuzz/checks/message.rs"]
mod message;
#[path = "../tools/fuzz/checks/sdp.rs"]
mod sdp;

fn files(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{folder:?}: {error}"))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// Every seed, every seed cut short, and every seed with one byte changed at some places.
fn over(folders: &[&str], check: fn(&[u8])) {
    let seeds: Vec<_> = folders.iter().flat_map(|folder| files(folder)).collect();
    assert!(seeds.len() >= 5, "{folders:?}: {}", seeds.len());
    for (path, seed) in &seeds {
        println!("{}", path.display());
        check(seed);
        let step = (seed.len() / 25).max(1);
        for at in (0..seed.len()).step_by(step) {
            check(&seed[..at]);
            for with in [b'\n', b' ', b'"', b'0', 0xff] {
                let mut changed = seed.clone();
                changed[at] = with;
                check(&changed);
            }
        }
    }
}

#[test]
fn messages() {
    over(&["tools/fuzz/seeds/message", "tests/torture", "tests/torture/ipv6"], message::check);
}

#[test]
fn descriptions() {
    over(&["tools/fuzz/seeds/sdp"], sdp::check);
}

#[test]
fn streams() {
    over(&["tools/fuzz/seeds/framing"], framing::check);
}

#[test]
fn rows_of_packets() {
    over(&["tools/fuzz/seeds/endpoint"], endpoint::check);
}
