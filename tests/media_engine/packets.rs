//! RTP and RTCP read and written by hand, from RFC 3550 and RFC 4733 and nothing of the engine's.

/// One RTP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtp {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: Vec<u8>,
}

impl Rtp {
    /// RFC 3550 §5.1: version 2, no padding, extension or CSRC.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = vec![0x80, u8::from(self.marker) << 7 | self.payload_type];
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    pub fn read(bytes: &[u8]) -> Rtp {
        assert!(bytes.len() > 12, "{bytes:?}");
        assert_eq!(bytes[0], 0x80, "version 2 and nothing else");
        Rtp {
            marker: bytes[1] & 0x80 != 0,
            payload_type: bytes[1] & 0x7f,
            sequence: u16::from_be_bytes([bytes[2], bytes[3]]),
            timestamp: word(bytes, 4),
            ssrc: word(bytes, 8),
            payload: bytes[12..].to_vec(),
        }
    }
}

pub fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// A telephone-event's payload (RFC 4733 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub code: u8,
    pub end: bool,
    pub duration: u16,
}

impl Event {
    pub fn write(self) -> Vec<u8> {
        let [high, low] = self.duration.to_be_bytes();
        vec![self.code, u8::from(self.end) << 7 | 10, high, low]
    }

    pub fn read(payload: &[u8]) -> Event {
        let [code, flags, high, low] = *payload else { panic!("four bytes: {payload:?}") };
        assert_eq!(flags & 0x40, 0, "the reserved bit");
        Event { code, end: flags & 0x80 != 0, duration: u16::from_be_bytes([high, low]) }
    }
}

/// One reception report block (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub ssrc: u32,
    pub fraction_lost: u8,
    pub lost: u32,
    pub highest: u32,
    pub jitter: u32,
    pub last_sender_report: u32,
    pub delay: u32,
}

/// One packet of a compound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    Sender { ssrc: u32, ntp: u64, rtp: u32, packets: u32, octets: u32, blocks: Vec<Block> },
    Receiver { ssrc: u32, blocks: Vec<Block> },
    Name { ssrc: u32, cname: String },
    Bye { ssrc: u32 },
}

fn blocks(body: &[u8], count: u8) -> Vec<Block> {
    assert_eq!(body.len(), 24 * usize::from(count), "no more and no less than the blocks");
    let block = |bytes: &[u8]| Block {
        ssrc: word(bytes, 0),
        fraction_lost: bytes[4],
        lost: word(bytes, 4) & 0xff_ffff,
        highest: word(bytes, 8),
        jitter: word(bytes, 12),
        last_sender_report: word(bytes, 16),
        delay: word(bytes, 20),
    };
    body.chunks_exact(24).map(block).collect()
}

/// Reads a compound packet as strictly as RFC 3550 A.2 allows.
pub fn read_reports(mut bytes: &[u8]) -> Vec<Report> {
    let mut reports = Vec::new();
    while !bytes.is_empty() {
        assert_eq!(bytes[0] & 0xe0, 0x80, "version 2, no padding");
        let count = bytes[0] & 0x1f;
        let length = 4 * (usize::from(u16::from_be_bytes([bytes[2], bytes[3]])) + 1);
        let (packet, rest) = bytes.split_at(length);
        let ssrc = word(packet, 4);
        reports.push(match packet[1] {
            200 => Report::Sender {
                ssrc,
                ntp: u64::from(word(packet, 8)) << 32 | u64::from(word(packet, 12)),
                rtp: word(packet, 16),
                packets: word(packet, 20),
                octets: word(packet, 24),
                blocks: blocks(&packet[28..], count),
            },
            201 => Report::Receiver { ssrc, blocks: blocks(&packet[8..], count) },
            202 => {
                assert_eq!((count, packet[8]), (1, 1), "one chunk that begins with CNAME");
                let end = 10 + usize::from(packet[9]);
                assert!(packet[end..].iter().all(|byte| *byte == 0) && packet.len() > end);
                Report::Name { ssrc, cname: String::from_utf8(packet[10..end].to_vec()).unwrap() }
            }
            203 => {
                assert_eq!((count, length), (1, 8));
                Report::Bye { ssrc }
            }
            other => panic!("packet type {other}"),
        });
        bytes = rest;
    }
    assert!(
        matches!(reports[..], [Report::Sender { .. } | Report::Receiver { .. }, Report::Name { .. }, ..]),
        "a report first, then the name: {reports:?}"
    );
    reports
}

/// A sender report with one block, as a peer sends it.
pub fn write_sender_report(ssrc: u32, ntp: u64, block: Block) -> Vec<u8> {
    let mut bytes = vec![0x81, 200, 0, 12];
    let words = [ssrc, (ntp >> 32) as u32, ntp as u32, 160, 1, 160, block.ssrc];
    words.iter().for_each(|word| bytes.extend(word.to_be_bytes()));
    bytes.extend((u32::from(block.fraction_lost) << 24 | block.lost).to_be_bytes());
    for word in [block.highest, block.jitter, block.last_sender_report, block.delay] {
        bytes.extend(word.to_be_bytes());
    }
    bytes
}
