//! How good the sound was: a mean opinion score by the E-model (ITU-T G.107).
//!
//! Noise and echo are taken at their defaults: what we measure is loss and delay. All codecs are on
//! one scale, that of narrowband telephony, so that one threshold holds for all legs: most calls reach
//! us from the public network, and our mixer and recordings are narrowband. On the wideband scale
//! (G.107.1) clean G.711 would be 3.7, and a trunk and a desk could not be set side by side.

use super::order::Codec;

/// R without impairment, all parameters of G.107 at their defaults.
const R_BEST: f64 = 93.2;

/// A codec's own impairment Ie, and Bpl: how well it stands loss (G.113 Appendix I).
#[derive(Clone, Copy, Debug)]
struct Equipment {
    impairment: f64,
    robustness: f64,
}

/// G.711 with concealment, which ours is akin to (G.711 Appendix I).
const G711: Equipment = Equipment { impairment: 0.0, robustness: 25.1 };

impl Equipment {
    fn of(codec: Codec) -> Equipment {
        match codec {
            Codec::Pcma | Codec::Pcmu => G711,
            // Without a law's noise, else the same, and concealed by the same code.
            Codec::L16 => G711,
            // G.113 knows G.722 on the wideband scale only, where it loses less (Ie,wb 13) than G.711
            // does by its band (35.8): on the narrow scale nothing, and holes are filled by the same code.
            Codec::G722 => G711,
            // G.113 has no value: scored by loss and delay alone, as if it were G.711.
            Codec::Opus => G711,
            // With Annex A and B, as telephones have it.
            Codec::G729 => Equipment { impairment: 11.0, robustness: 19.0 },
        }
    }
}

/// What was measured of one direction.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// What it was coded in.
    pub codec: Codec,
    /// Packets that should have come.
    pub expected: u64,
    /// Packets that could not be heard: never came or came too late.
    pub missed: u64,
    /// Runs of loss that the missed ones came in.
    pub bursts: u64,
    /// One way, mouth to ear.
    pub delay_ms: f64,
}

/// MOS × 100, 100..=450; 0 where nothing was to be heard.
pub fn mos_x100(measured: Measured) -> u16 {
    if measured.expected == 0 {
        return 0;
    }
    let rating = R_BEST - delay_impairment(measured.delay_ms) - loss_impairment(measured);
    (score(rating) * 100.0).round() as u16
}

/// Idd of G.107 §7.4 for delay without echo.
fn delay_impairment(delay_ms: f64) -> f64 {
    if delay_ms <= 100.0 {
        return 0.0;
    }
    let x = (delay_ms / 100.0).log2();
    25.0 * ((1.0 + x.powi(6)).powf(1.0 / 6.0) - 3.0 * (1.0 + (x / 3.0).powi(6)).powf(1.0 / 6.0) + 2.0)
}

/// Ie,eff of G.107 §7.5.
fn loss_impairment(measured: Measured) -> f64 {
    let Equipment { impairment, robustness } = Equipment::of(measured.codec);
    let missed = measured.missed.min(measured.expected) as f64;
    let ratio = missed / measured.expected as f64;
    let mean_burst = missed / measured.bursts.max(1) as f64;
    // BurstR: how much longer the runs are than chance would make them; G.107 knows 1 and above.
    let burst_ratio = (mean_burst * (1.0 - ratio)).max(1.0);
    let percent = ratio * 100.0;
    impairment + (95.0 - impairment) * percent / (percent / burst_ratio + robustness)
}

/// G.107 Annex B.
fn score(rating: f64) -> f64 {
    match rating {
        r if r <= 0.0 => 1.0,
        r if r >= 100.0 => 4.5,
        r => (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mos(missed: u64, bursts: u64, delay_ms: f64) -> u16 {
        mos_x100(Measured { codec: Codec::Pcma, expected: 10_000, missed, bursts, delay_ms })
    }

    #[test]
    fn scores_agree_with_the_recommendation() {
        assert_eq!(mos(0, 0, 20.0), 441, "R 93.2 is 4.41");
        // 1 % random loss: Ie,eff = 95·1/26.1 = 3.64; R 89.6.
        assert!((430..=433).contains(&mos(100, 100, 20.0)));
        // 5 %: Ie,eff = 95·5/30.1 = 15.8; R 77.4.
        assert!((390..=394).contains(&mos(500, 500, 20.0)));
        // 200 ms: X = 1, Idd = 25·(2^(1/6) − 3·(1 + 3^-6)^(1/6) + 2) = 3.05.
        assert!((433..=435).contains(&mos(0, 0, 200.0)));
    }

    #[test]
    fn what_is_worse_scores_less() {
        assert!(mos(500, 500, 20.0) > mos(500, 100, 20.0), "bursts hurt more");
        assert!(mos(100, 100, 20.0) > mos(1_000, 1_000, 20.0));
        assert!(mos(0, 0, 150.0) > mos(0, 0, 400.0));
        assert!(mos(10_000, 1, 2_000.0) >= 100);
        let nothing = Measured { codec: Codec::Pcma, expected: 0, missed: 0, bursts: 0, delay_ms: 0.0 };
        assert_eq!(mos_x100(nothing), 0);
    }

    #[test]
    fn each_codec_has_its_own_impairment_on_one_scale() {
        let of = |codec, missed| {
            mos_x100(Measured { codec, expected: 10_000, missed, bursts: missed, delay_ms: 20.0 })
        };
        for codec in [Codec::Pcmu, Codec::L16, Codec::G722, Codec::Opus] {
            assert_eq!(of(codec, 0), 441, "{codec:?}");
            assert_eq!(of(codec, 500), of(Codec::Pcma, 500), "{codec:?}");
        }
        // R 93.2 - 11 = 82.2 is 4.10; 2 %: Ie,eff = 11 + 84·2/21 = 19; R 74.2 is 3.80.
        assert!((409..=411).contains(&of(Codec::G729, 0)), "{}", of(Codec::G729, 0));
        assert!((378..=381).contains(&of(Codec::G729, 200)), "{}", of(Codec::G729, 200));
    }
}
