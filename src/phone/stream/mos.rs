//! How good it sounded, estimated: the E-model (ITU-T G.107) for G.711 with concealment.

/// R without impairment, all parameters at their defaults.
const BEST: f64 = 93.2;
/// How well G.711 with concealment stands loss at random (G.113 Appendix I).
const ROBUSTNESS: f64 = 25.1;

/// The mean opinion score, 1 to 4.41: `missed` is the share of packets that could not be heard in time,
/// 0 to 1, `delay_ms` the way from mouth to ear.
pub fn mos(missed: f64, delay_ms: f64) -> f64 {
    let percent = missed.clamp(0.0, 1.0) * 100.0;
    let loss = 95.0 * percent / (percent + ROBUSTNESS);
    let rating = BEST - loss - delay(delay_ms);
    match rating {
        r if r <= 0.0 => 1.0,
        r => (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0), // Annex B.
    }
}

/// Idd of §7.4: delay without echo.
fn delay(delay_ms: f64) -> f64 {
    if delay_ms <= 100.0 {
        return 0.0;
    }
    let x = (delay_ms / 100.0).log2();
    let root = |value: f64| (1.0 + value.powi(6)).powf(1.0 / 6.0);
    25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points() {
        for (missed, delay_ms, expected) in
            [(0.0, 20.0, 4.41), (0.01, 20.0, 4.32), (0.05, 20.0, 3.92), (0.0, 200.0, 4.34), (1.0, 20.0, 1.18)]
        {
            let score = mos(missed, delay_ms);
            assert!((score - expected).abs() < 0.03, "{missed} {delay_ms}: {score}");
        }
    }
}
