//! The trace on disk: records one after another in files that follow one another, the oldest deleted
//! when all together are too large or too old. A file that a crash cut short ends with what is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::{Seen, Tie};
use crate::id::CallId;
use crate::routing::trace::Trace as Wanted;
use crate::sip::event::Origin;
use crate::sip::{Transport, WireRef};

const MAGIC: &[u8; 8] = b"HOTTRC1\n";
const EXTENSION: &str = "trace";
/// No record is longer: a message of 64 KiB and its frame.
const RECORD_MAX: usize = 80 << 10;
const MESSAGE: u8 = 1;
const TIE: u8 = 2;
/// At most so many files, so that deleting one loses a small part.
const PARTS: u64 = 8;
const FILE_MAX: u64 = 64 << 20;

/// One record of a file.
pub(super) enum Record {
    Message(Seen),
    Tie(Tie),
}

/// Where records are appended.
pub(super) struct Files {
    folder: PathBuf,
    part: Option<Part>,
    next: u64,
}

struct Part {
    file: File,
    length: u64,
    began: SystemTime,
}

impl Files {
    /// Nothing is opened before the first record comes.
    pub(super) fn new(folder: PathBuf) -> Self {
        let next = list(&folder).last().map_or(1, |(number, _)| number + 1);
        Files { folder, part: None, next }
    }

    /// Appends whole records.
    pub(super) fn append(&mut self, records: &[u8], wanted: &Wanted, now: SystemTime) -> io::Result<()> {
        let full = (u64::from(wanted.keep_mib) << 20).div_ceil(PARTS).min(FILE_MAX);
        let old = |part: &Part| now.duration_since(part.began).is_ok_and(|age| age > part_age(wanted.keep));
        if self.part.as_ref().is_some_and(|part| part.length >= full || old(part)) {
            self.part = None;
            self.tidy(wanted, now);
        }
        if self.part.is_none() {
            self.part = Some(self.open(now)?);
        }
        let Some(part) = &mut self.part else { return Ok(()) };
        let written = part.file.write_all(records);
        part.length += records.len() as u64;
        if written.is_err() {
            self.part = None; // What follows half a record could not be read.
        }
        written
    }

    fn open(&mut self, now: SystemTime) -> io::Result<Part> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let path = self.folder.join(format!("{:010}.{EXTENSION}", self.next));
        let mut file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)?;
        self.next += 1;
        file.write_all(MAGIC)?;
        Ok(Part { file, length: MAGIC.len() as u64, began: now })
    }

    /// Deletes what is too much or too old. A file's last record is what its age is known by.
    pub(super) fn tidy(&mut self, wanted: &Wanted, now: SystemTime) {
        // What a file holds is up to one part's age older than its last record.
        let age_max = wanted.keep - part_age(wanted.keep);
        if self
            .part
            .as_ref()
            .is_some_and(|part| now.duration_since(part.began).is_ok_and(|age| age > part_age(wanted.keep)))
        {
            self.part = None;
        }
        let open = self.part.as_ref().map(|_| self.next - 1);
        let mut left = u64::from(wanted.keep_mib) << 20;
        for (number, path) in list(&self.folder).into_iter().rev() {
            let Ok(about) = fs::metadata(&path) else { continue };
            let written = about.modified().unwrap_or(now);
            let old = now.duration_since(written).is_ok_and(|age| age > age_max);
            let fits = about.len() <= left;
            left = left.saturating_sub(about.len());
            if (old || !fits) && open != Some(number) {
                left = if fits { left } else { 0 };
                // What cannot be deleted now is met again next time.
                let _ = fs::remove_file(path);
            }
        }
    }
}

fn part_age(keep: Duration) -> Duration {
    keep / PARTS as u32
}

/// The files in order.
fn list(folder: &Path) -> Vec<(u64, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(u64, PathBuf)> = entries
        .filter_map(|entry| {
            let path = entry.path();
            let number = path.file_stem()?.to_str()?.parse().ok()?;
            (path.extension()? == EXTENSION).then_some((number, path))
        })
        .collect();
    files.sort();
    files
}

/// Gives every whole record to `take`, oldest file first.
pub(super) fn read(folder: &Path, mut take: impl FnMut(Record)) -> io::Result<()> {
    for (_, path) in list(folder) {
        let mut file = match File::open(&path) {
            Ok(file) => io::BufReader::with_capacity(256 << 10, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue, // Its time was over.
            Err(error) => return Err(error),
        };
        let mut magic = [0; MAGIC.len()];
        if file.read_exact(&mut magic).is_err() || magic != *MAGIC {
            continue;
        }
        let mut body = Vec::new();
        let mut length = [0; 4];
        while file.read_exact(&mut length).is_ok() {
            let length = u32::from_le_bytes(length) as usize;
            if length > RECORD_MAX {
                break;
            }
            body.resize(length, 0);
            if file.read_exact(&mut body).is_err() {
                break; // Being written, or cut short.
            }
            if let Some(record) = decode(&body) {
                take(record);
            }
        }
    }
    Ok(())
}

/// Appends a message's record; its bytes are `bytes`, where secrets are covered.
pub(super) fn put_message(out: &mut Vec<u8>, seen: &Seen, bytes: &[u8]) {
    framed(out, |out| {
        out.push(MESSAGE);
        out.extend(seen.at_us.to_le_bytes());
        let transport = match seen.transport {
            Transport::Udp => 0,
            Transport::Tcp => 1,
            Transport::Tls => 2,
        };
        out.push(u8::from(seen.sent) | transport << 1);
        put_address(out, seen.local);
        put_address(out, seen.peer);
        out.extend_from_slice(bytes);
    });
}

/// Appends a leg's record.
pub(super) fn put_tie(out: &mut Vec<u8>, tie: &Tie) {
    framed(out, |out| {
        out.push(TIE);
        out.extend(tie.at_us.to_le_bytes());
        out.extend(tie.call.to_string().as_bytes());
        out.extend(tie.wire_ref.to_bits().to_le_bytes());
        let (kind, name) = match &tie.party {
            Origin::Trunk(trunk) => (0, trunk.as_str()),
            Origin::Seat(seat) => (1, seat.as_str()),
        };
        out.push(kind);
        out.extend_from_slice(name.as_bytes());
    });
}

fn framed(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 4]);
    body(out);
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

fn put_address(out: &mut Vec<u8>, at: SocketAddr) {
    let ip = match at.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    out.extend(ip.octets());
    out.extend(at.port().to_le_bytes());
}

fn decode(mut body: &[u8]) -> Option<Record> {
    let [kind] = *take::<1>(&mut body)?;
    let at_us = i64::from_le_bytes(*take(&mut body)?);
    match kind {
        MESSAGE => {
            let [flags] = *take::<1>(&mut body)?;
            let transport = match flags >> 1 {
                0 => Transport::Udp,
                1 => Transport::Tcp,
                2 => Transport::Tls,
                _ => return None,
            };
            let local = take_address(&mut body)?;
            let peer = take_address(&mut body)?;
            let bytes = Bytes::copy_from_slice(body);
            Some(Record::Message(Seen { at_us, sent: flags & 1 == 1, transport, local, peer, bytes }))
        }
        TIE => {
            let call = CallId::parse(std::str::from_utf8(take::<36>(&mut body)?).ok()?)?;
            let wire_ref = WireRef::from_bits(u64::from_le_bytes(*take(&mut body)?));
            let [kind] = *take::<1>(&mut body)?;
            let name = std::str::from_utf8(body).ok()?;
            let party = if kind == 0 { Origin::Trunk(name.into()) } else { Origin::Seat(name.into()) };
            Some(Record::Tie(Tie { at_us, call, party, wire_ref }))
        }
        _ => None, // Of a later program.
    }
}

fn take<'a, const N: usize>(body: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (head, rest) = body.split_first_chunk::<N>()?;
    *body = rest;
    Some(head)
}

fn take_address(body: &mut &[u8]) -> Option<SocketAddr> {
    let ip = Ipv6Addr::from(*take::<16>(body)?).to_canonical();
    Some(SocketAddr::new(ip, u16::from_le_bytes(*take(body)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;

    const WANTED: Wanted =
        Wanted { enabled: true, keep: Duration::from_secs(80), keep_mib: 1, hep: None, capture_id: 0 };

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("hotline-trace-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    fn seen(local: &str, peer: &str, transport: Transport, sent: bool) -> Seen {
        let bytes = Bytes::from_static(b"OPTIONS sip:x SIP/2.0\r\n\r\n");
        Seen { at_us: -5, sent, transport, local: local.parse().unwrap(), peer: peer.parse().unwrap(), bytes }
    }

    fn all(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        read(folder, |record| {
            found.push(match record {
                Record::Message(seen) => format!("{seen:?}"),
                Record::Tie(tie) => format!("{tie:?}"),
            });
        })
        .unwrap();
        found
    }

    #[test]
    fn what_is_written_is_read_again_and_half_a_record_costs_itself_only() {
        let folder = folder("again");
        let call = CallId::draw(1, &mut Dice::seeded(1));
        let tie = Tie {
            at_us: 7,
            call,
            party: Origin::Trunk("运营商".into()),
            wire_ref: WireRef::from_bits(u64::MAX),
        };
        let messages = [
            seen("127.0.0.1:5060", "192.0.2.1:5061", Transport::Udp, true),
            seen("[::1]:5060", "[2001:db8::1]:5061", Transport::Tls, false),
        ];
        let mut out = Vec::new();
        put_tie(&mut out, &tie);
        messages.iter().for_each(|seen| put_message(&mut out, seen, &seen.bytes));
        let whole = out.len();
        put_message(&mut out, &messages[0], b"cut short");
        let now = SystemTime::now();
        Files::new(folder.clone()).append(&out[..out.len() - 1], &WANTED, now).unwrap();
        let mut files = Files::new(folder.clone()); // After a crash.
        files.append(&out[..whole], &WANTED, now).unwrap();
        let once = [format!("{tie:?}"), format!("{:?}", messages[0]), format!("{:?}", messages[1])];
        assert_eq!(all(&folder), [once.clone(), once].concat());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_oldest_goes_when_there_is_too_much_and_all_goes_in_time() {
        let folder = folder("bounds");
        let mut files = Files::new(folder.clone());
        let mut now = SystemTime::now();
        let mut out = Vec::new();
        put_message(&mut out, &seen("127.0.0.1:1", "127.0.0.1:2", Transport::Udp, true), &[b'x'; 30_000]);
        for _ in 0..100 {
            files.append(&out, &WANTED, now).unwrap();
        }
        let size = |folder: &Path| -> u64 {
            list(folder).iter().map(|(_, path)| fs::metadata(path).unwrap().len()).sum()
        };
        assert!(size(&folder) <= 1 << 20 | 1 << 17, "{}", size(&folder));
        assert!(all(&folder).len() >= 28);
        now += Duration::from_secs(60);
        files.append(&out, &WANTED, now).unwrap();
        files.tidy(&WANTED, now);
        assert!(all(&folder).len() > 1, "nothing is 80 s old");
        now += Duration::from_secs(21);
        files.tidy(&WANTED, now);
        assert_eq!(all(&folder).len(), 0, "files are dated by the system: all are older now");
        fs::remove_dir_all(folder).unwrap();
    }
}
