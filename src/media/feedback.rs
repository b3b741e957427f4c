//! What the peer's reports say of the stream that it gets from us (RFC 3550 §6.4.1): the quality of what
//! it hears, as far as its word can be true.

use super::mos::{Measured, mos_x100};
use super::order::{Codec, Outbound};

/// More jitter than this is a fault of the peer's clock: 10 s.
const JITTER_MAX_S: u32 = 10;

/// The reports on our stream, folded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Feedback {
    reports: u32,
    nonsense: u32,
    expected: u64,
    lost: u64,
    jitter_us_sum: u64,
}

impl Feedback {
    /// Takes one block: the word of its losses (8 bits since the last report, 24 bits with a sign in
    /// all), how many packets should have come by its highest number (`None`: a number never sent), and
    /// the jitter in units of `rate`, hertz. What cannot be true is counted and changes nothing.
    pub fn take(&mut self, losses: u32, expected: Option<u64>, jitter: u32, rate: u32) {
        // Sign extended: repeats may make it negative.
        let lost = ((losses << 8) as i32 >> 8).max(0) as u64;
        let believed = expected.filter(|expected| {
            // It never goes back, and nobody loses more than should have come.
            lost <= *expected && *expected >= self.expected && jitter <= rate.saturating_mul(JITTER_MAX_S)
        });
        let Some(expected) = believed else {
            self.nonsense = self.nonsense.saturating_add(1);
            return;
        };
        self.reports = self.reports.saturating_add(1);
        (self.expected, self.lost) = (expected, lost);
        self.jitter_us_sum += u64::from(jitter) * 1_000_000 / u64::from(rate.max(1));
    }

    /// The figures; `way_ms` is how long sound takes to the peer's ear, its buffer left out.
    pub fn outbound(&self, codec: Codec, way_ms: f64) -> Outbound {
        let jitter_us = self.jitter_us_sum.checked_div(self.reports.into()).unwrap_or(0);
        let measured = Measured {
            codec,
            expected: if self.reports == 0 { 0 } else { self.expected },
            missed: self.lost,
            bursts: self.lost, // Reports do not say how losses hang together: taken as chance.
            // A buffer holds about twice the jitter.
            delay_ms: way_ms + jitter_us as f64 / 500.0,
        };
        Outbound {
            reports: self.reports,
            nonsense: self.nonsense,
            expected: self.expected,
            lost: self.lost,
            jitter_us: u32::try_from(jitter_us).unwrap_or(u32::MAX),
            mos_x100: mos_x100(measured),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_folded_to_the_last_loss_and_the_mean_jitter() {
        let mut feedback = Feedback::default();
        assert_eq!(feedback.outbound(Codec::Pcma, 20.0), Outbound::default(), "nothing was said");
        feedback.take(0x0500_0002, Some(250), 80, 8_000);
        feedback.take(0x0d00_000f, Some(500), 240, 8_000);
        let told = feedback.outbound(Codec::Pcma, 20.0);
        assert_eq!((told.reports, told.nonsense), (2, 0));
        assert_eq!((told.expected, told.lost, told.jitter_us), (500, 15, 20_000));
        assert!((405..=420).contains(&told.mos_x100), "3 %: {}", told.mos_x100);
    }

    #[test]
    fn what_cannot_be_true_changes_nothing_and_is_counted() {
        let mut feedback = Feedback::default();
        feedback.take(3, Some(300), 8, 8_000);
        let rows: [(&str, u32, Option<u64>, u32); 4] = [
            ("more lost than sent", 400, Some(350), 8),
            ("a number never sent", 3, None, 8),
            ("less than before", 3, Some(200), 8),
            ("a minute of jitter", 3, Some(350), 480_000),
        ];
        for (what, losses, expected, jitter) in rows {
            let before = feedback;
            feedback.take(losses, expected, jitter, 8_000);
            let (was, is) = (before.outbound(Codec::Pcma, 0.0), feedback.outbound(Codec::Pcma, 0.0));
            assert_eq!(is, Outbound { nonsense: was.nonsense + 1, ..was }, "{what}");
        }
        // More came than should have: repeats. None is lost then.
        feedback.take(0x00ff_fffb, Some(350), 8, 8_000);
        assert_eq!(feedback.outbound(Codec::Pcma, 0.0).lost, 0);
    }
}
