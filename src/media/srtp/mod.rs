//! SRTP (RFC 3711, RFC 7714): one leg's packets sealed on their way out and opened on their way in,
//! in place. Keys come from the SDP of both sides (RFC 4568), which is for others to read.
//!
//! A packet is opened only if it was sealed with the peer's keys at an index that was not used before.
//! Each of the peer's SSRCs has its own rollover counter and windows.

mod index;
mod keys;
mod transform;
#[cfg(test)]
mod vectors;

use index::Window;
use keys::Session;

use super::order::Srtp;
use super::rtp::HEADER_BYTES;
use transform::{GCM_TAG, WORD};

/// Bytes that sealing adds at most: Galois counter mode's tag, and RTCP's word.
pub const TAIL_MAX: usize = GCM_TAG + WORD;
/// SSRCs of one peer whose counters are kept: its sound, what it had before, and those that others
/// behind it may report with. Beyond, the one that was not heard for the longest is forgotten.
pub const SOURCES_MAX: usize = 4;
/// RTCP's index has 31 bits; nothing more is sealed when they are used up (RFC 3711 §9.2).
const REPORTS_MAX: u32 = 1 << 31;
/// A sequence number below this, heard first, may come after a wrap that was missed.
const EARLY: u16 = 1 << 15;

/// One leg's keys and counters.
pub struct Cipher {
    ours: Sending,
    theirs: Listening,
    /// The peer's keys before a renegotiation, until it uses the new ones.
    former: Option<Listening>,
}

/// Our own keys, and the indices used with them. An index is never used twice: with counter mode two
/// packets would tell of one another, with Galois counter mode of the key.
struct Sending {
    session: Session,
    ssrc: Option<u32>,
    used: Window,
    reports: u32,
}

impl Sending {
    fn new(session: Session) -> Self {
        Sending { session, ssrc: None, used: Window::default(), reports: 0 }
    }

    /// The stream that a packet belongs to. One with another SSRC counts its rollovers from zero; SSRCs
    /// are drawn anew each time, so none comes back with indices that were used.
    fn stream_of(&mut self, ssrc: u32) -> &mut Window {
        if self.ssrc.replace(ssrc) != Some(ssrc) {
            self.used = Window::default();
        }
        &mut self.used
    }
}

impl Cipher {
    /// Keys for a leg that opens: both rollover counters are zero.
    pub fn new(srtp: &Srtp) -> Self {
        Cipher {
            ours: Sending::new(Session::new(srtp.suite, &srtp.ours)),
            theirs: Listening::new(Session::new(srtp.suite, &srtp.theirs)),
            former: None,
        }
    }

    /// Goes over from the keys of `before` to those of `after`. Which of the two are the same go on
    /// with their counters; new ones begin with counters of zero, and what is sealed with the peer's
    /// old ones is opened until the new ones are heard. `new_peer`: it has no old ones.
    pub fn change(&mut self, before: &Srtp, after: &Srtp, new_peer: bool) {
        let suite = before.suite == after.suite;
        if !suite || before.ours != after.ours {
            self.ours = Sending::new(Session::new(after.suite, &after.ours));
        }
        if new_peer {
            self.former = None;
            self.theirs = Listening::new(Session::new(after.suite, &after.theirs));
        } else if !suite || before.theirs != after.theirs {
            let theirs = Listening::new(Session::new(after.suite, &after.theirs));
            let before = std::mem::replace(&mut self.theirs, theirs);
            // A peer that never used the last ones still stands by those before.
            if before.heard || self.former.is_none() {
                self.former = Some(before);
            }
        }
    }

    /// Seals the RTP packet in the first `length` bytes of `packet`, which has room for
    /// [`TAIL_MAX`] more; how long it is then. `None`: not to be sent, for its index was used.
    pub fn seal_rtp(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        let Place { header, sequence, ssrc } = Place::of(packet.get(..length)?)?;
        let used = self.ours.stream_of(ssrc);
        let index = used.guess(sequence).filter(|index| used.is_new(*index))?;
        used.mark(index);
        self.ours.session.rtp.seal_rtp(packet, header, length, ssrc, index)
    }

    /// Seals the RTCP packet in the first `length` bytes of `packet`, as [`Cipher::seal_rtp`] does.
    pub fn seal_rtcp(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        let ssrc = word(packet.get(..length)?, 4)?;
        let index = self.ours.reports;
        if index == REPORTS_MAX {
            return None;
        }
        self.ours.reports += 1;
        self.ours.session.rtcp.seal_rtcp(packet, length, ssrc, index)
    }

    /// Opens the peer's RTP packet; how long it is then. `None`: forged, damaged, or heard before.
    pub fn open_rtp(&mut self, packet: &mut [u8]) -> Option<usize> {
        let place = Place::of(packet)?;
        let goes_on = self.former.as_ref().and_then(|former| former.next(&place));
        if let Some(length) = self.theirs.open_rtp(packet, &place, goes_on) {
            self.former = None;
            return Some(length);
        }
        self.former.as_mut()?.open_rtp(packet, &place, None)
    }

    /// Opens the peer's RTCP packet, as [`Cipher::open_rtp`] does.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Option<usize> {
        let ssrc = word(packet, 4)?;
        match self.theirs.open_rtcp(packet, ssrc) {
            Some(length) => Some(length),
            None => self.former.as_mut()?.open_rtcp(packet, ssrc),
        }
    }
}

/// The peer's keys, and the indices that were heard.
struct Listening {
    session: Session,
    sources: [Option<Source>; SOURCES_MAX],
    /// Packets opened, by which the oldest source is told.
    opened: u64,
    heard: bool,
}

/// One SSRC.
#[derive(Clone, Copy)]
struct Source {
    ssrc: u32,
    rtp: Window,
    rtcp: Window,
    last: u64,
}

impl Listening {
    fn new(session: Session) -> Self {
        Listening { session, sources: [None; SOURCES_MAX], opened: 0, heard: false }
    }

    fn source(&self, ssrc: u32) -> Option<&Source> {
        self.sources.iter().flatten().find(|source| source.ssrc == ssrc)
    }

    /// The index that a source would go on with, if it is known.
    fn next(&self, place: &Place) -> Option<u64> {
        let source = self.source(place.ssrc).filter(|source| !source.rtp.is_empty())?;
        source.rtp.guess(place.sequence)
    }

    /// A source that an opened packet is of, for its windows to be marked.
    fn opened(&mut self, ssrc: u32) -> Option<&mut Source> {
        self.opened += 1;
        self.heard = true;
        let known = self.sources.iter().position(|source| source.is_some_and(|source| source.ssrc == ssrc));
        let oldest = || (0..SOURCES_MAX).min_by_key(|n| self.sources[*n].map_or(0, |source| source.last));
        let at = known.or_else(oldest)?;
        let fresh = Source { ssrc, rtp: Window::default(), rtcp: Window::default(), last: 0 };
        let source = &mut self.sources[at];
        let source = match known {
            Some(_) => source.as_mut()?,
            None => source.insert(fresh),
        };
        source.last = self.opened;
        Some(source)
    }

    fn open_rtp(&mut self, packet: &mut [u8], place: &Place, goes_on: Option<u64>) -> Option<usize> {
        let rtp = self.source(place.ssrc).map(|source| source.rtp).filter(|rtp| !rtp.is_empty());
        let first = Some(u64::from(place.sequence));
        // Of a source not heard yet the counter may be one already, since its first packets were lost;
        // and some let it go on when they take new keys.
        let wrapped = first.filter(|_| place.sequence < EARLY).map(|sequence| 1 << 16 | sequence);
        let tries = match rtp {
            Some(rtp) => [rtp.guess(place.sequence).filter(|index| rtp.is_new(*index)), None, None],
            None => {
                [first, wrapped, goes_on.filter(|index| first != Some(*index) && wrapped != Some(*index))]
            }
        };
        for index in tries.into_iter().flatten() {
            if let Some(length) = self.session.rtp.open_rtp(packet, place.header, place.ssrc, index) {
                self.opened(place.ssrc)?.rtp.mark(index);
                return Some(length);
            }
        }
        None
    }

    fn open_rtcp(&mut self, packet: &mut [u8], ssrc: u32) -> Option<usize> {
        let index = u64::from(self.session.rtcp.rtcp_index(packet)?);
        if self.source(ssrc).is_some_and(|source| !source.rtcp.is_new(index)) {
            return None;
        }
        let length = self.session.rtcp.open_rtcp(packet, ssrc)?;
        self.opened(ssrc)?.rtcp.mark(index);
        Some(length)
    }
}

/// What of an RTP packet is never ciphered.
struct Place {
    /// Bytes of the header with its CSRCs and its extension, none of which are ciphered.
    header: usize,
    sequence: u16,
    ssrc: u32,
}

impl Place {
    fn of(packet: &[u8]) -> Option<Place> {
        let [flags, _, high, low, ..] = *packet else { return None };
        let mut header = HEADER_BYTES + usize::from(flags & 0xf) * 4;
        if flags >> 6 != 2 || header > packet.len() {
            return None;
        }
        if flags & 0x10 != 0 {
            let [_, _, high, low] = *packet.get(header..header + 4)? else { return None };
            header += 4 + usize::from(u16::from_be_bytes([high, low])) * 4;
        }
        let ssrc = word(packet, 8)?;
        (header <= packet.len()).then_some(Place { header, sequence: u16::from_be_bytes([high, low]), ssrc })
    }
}

fn word(packet: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(packet.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::order::{MASTER_MAX, Master, SrtpSuite};

    fn srtp(suite: SrtpSuite, ours: u8, theirs: u8) -> Srtp {
        Srtp { suite, ours: Master([ours; MASTER_MAX]), theirs: Master([theirs; MASTER_MAX]) }
    }

    /// An RTP packet of 20 ms with room for its seal.
    fn packet(sequence: u16) -> [u8; 172 + TAIL_MAX] {
        let mut packet = [0x55; 172 + TAIL_MAX];
        packet[..2].copy_from_slice(&[0x80, 8]);
        packet[2..4].copy_from_slice(&sequence.to_be_bytes());
        packet
    }

    fn sealed(cipher: &mut Cipher, sequence: u16) -> Option<Vec<u8>> {
        let mut packet = packet(sequence);
        let length = cipher.seal_rtp(&mut packet, 172)?;
        Some(packet[..length].to_vec())
    }

    #[test]
    fn no_number_is_sealed_twice_with_one_key() {
        for suite in [SrtpSuite::AesCm128HmacSha1_32, SrtpSuite::AeadAes128Gcm] {
            let mut cipher = Cipher::new(&srtp(suite, 1, 2));
            for sequence in [65_534, 0, 65_535, 1] {
                assert!(sealed(&mut cipher, sequence).is_some());
                assert!(sealed(&mut cipher, sequence).is_none(), "{sequence} again");
            }
            cipher.change(&srtp(suite, 1, 2), &srtp(suite, 1, 3), true);
            assert!(sealed(&mut cipher, 1).is_none(), "another peer, but the same key of ours");
            cipher.change(&srtp(suite, 1, 3), &srtp(suite, 4, 3), false);
            assert!(sealed(&mut cipher, 1).is_some());
        }
    }

    #[test]
    fn a_stream_of_another_ssrc_counts_its_rollovers_from_zero() {
        let mut near = Cipher::new(&srtp(SrtpSuite::AesCm128HmacSha1_80, 1, 2));
        let mut far = Cipher::new(&srtp(SrtpSuite::AesCm128HmacSha1_80, 2, 1));
        for (ssrc, sequence) in [(1_u32, 65_534_u16), (1, 65_535), (1, 0), (2, 1), (2, 2)] {
            let mut packet = packet(sequence);
            packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
            let length = near.seal_rtp(&mut packet, 172).unwrap();
            assert_eq!(far.open_rtp(&mut packet[..length]), Some(172), "{ssrc} {sequence}");
        }
    }

    #[test]
    fn rtcp_ends_with_its_last_number() {
        let mut cipher = Cipher::new(&srtp(SrtpSuite::AeadAes256Gcm, 1, 2));
        cipher.ours.reports = REPORTS_MAX - 1;
        let mut report = [0x80; 28 + TAIL_MAX];
        assert_eq!(cipher.seal_rtcp(&mut report, 28), Some(48));
        assert_eq!(cipher.seal_rtcp(&mut report, 28), None);
    }

    #[test]
    fn a_counter_that_goes_on_under_new_keys_is_followed_too() {
        // RFC 3711 §3.3.1 has it go on, most telephones begin anew.
        let suite = SrtpSuite::AesCm128HmacSha1_80;
        let (first, second) = (srtp(suite, 1, 2), srtp(suite, 1, 3));
        let mut ours = Cipher::new(&first);
        let mut theirs = Cipher::new(&srtp(suite, 2, 1));
        for sequence in (0..65_536).chain(0..65_536).chain(0..70).step_by(30) {
            assert!(ours.open_rtp(&mut sealed(&mut theirs, sequence as u16).unwrap()).is_some());
        }
        ours.change(&first, &second, false);
        let highest = theirs.ours.used;
        theirs.change(&srtp(suite, 2, 1), &srtp(suite, 3, 1), false);
        theirs.ours.used = highest;
        for sequence in 100..200 {
            assert!(ours.open_rtp(&mut sealed(&mut theirs, sequence).unwrap()).is_some(), "{sequence}");
        }
    }

    #[test]
    fn keys_that_were_never_used_do_not_push_out_those_that_are() {
        let suite = SrtpSuite::AeadAes128Gcm;
        let keys = [2, 3, 4].map(|theirs| srtp(suite, 1, theirs));
        let mut ours = Cipher::new(&keys[0]);
        let mut theirs = [2, 3, 4].map(|key| Cipher::new(&srtp(suite, key, 1)));
        assert!(ours.open_rtp(&mut sealed(&mut theirs[0], 1).unwrap()).is_some());
        ours.change(&keys[0], &keys[1], false);
        ours.change(&keys[1], &keys[2], false);
        assert!(ours.open_rtp(&mut sealed(&mut theirs[0], 2).unwrap()).is_some(), "it has no answer yet");
        assert!(ours.open_rtp(&mut sealed(&mut theirs[2], 3).unwrap()).is_some());
        assert!(ours.open_rtp(&mut sealed(&mut theirs[0], 4).unwrap()).is_none());
        assert!(ours.open_rtp(&mut sealed(&mut theirs[1], 5).unwrap()).is_none());
    }
}
