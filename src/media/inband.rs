//! Keys as tones in the sound itself (ITU-T Q.23, Q.24), for legs without telephone-events: heard
//! here, and played in place of sound.
//!
//! A key is two tones at once. Sound is correlated with the eight in steps of 5 ms; each step looks at
//! the last 20 ms. They sound like a key if two tones, one of each group, make up nearly all of them
//! and neither stands nearer to a frequency 25 Hz beside its own than the tolerance lets it. So long a
//! stretch is never fooled for long by speech, whose tones move.

use std::sync::LazyLock;

use super::order::FRAME_SAMPLES;
use super::wire::Frame;

/// Hertz of the rows, then of the columns.
const TONES: [u16; 8] = [697, 770, 852, 941, 1209, 1336, 1477, 1633];
/// Keys by row and column.
const KEYS: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// Samples of a step, steps of a frame, and steps that are looked at together: 5, 20, 20 ms.
const STEP: usize = 40;
const STEPS: usize = FRAME_SAMPLES / STEP;
const LOOK: usize = 4;
/// A full sine of this amplitude is at 0 dBm0 when one of 32,768 is at 3.14 (ITU-T G.711).
const DBM0: f32 = 22_827.0;
/// The faintest tone that is a key's: -31 dBm0.
const FAINTEST: f32 = DBM0 * 0.028_2;
/// How much stronger one group's tone may be than the other's: 8.5 dB in power. Q.24 has
/// administrations ask for 4 to 8, most telephones give 2.
const TWIST_MAX: f32 = 7.1;
/// The tones' share of all energy.
const SHARE_MIN: f32 = 0.68;
/// How much stronger a tone is than the others of its group: 7 dB in power.
const AHEAD: f32 = 5.0;
/// What lies between 1.5 %, which must be taken for the tone, and 3.5 %, which must not.
const TOLERANCE: f32 = 0.024;
/// Alike looks after which a key is down: 35 ms of it, so that 40 ms hold them wherever they begin,
/// and 20 ms do not.
const DOWN: u8 = 4;
/// Looks without it after which it is up: a gap of 20 ms, a lost packet's, makes at most six, a pause
/// of 40 ms at least nine.
const UP: u8 = 7;

/// What sound is compared with.
struct Tables {
    /// Of each sample of a step: cosine of each tone, then minus its sine.
    waves: [[f32; 16]; STEP],
    /// Cosine and minus sine of n / 200 turns. Steps begin at whole multiples of it, since tones are in
    /// whole hertz and steps in 1/200 s.
    turns: [(f32, f32); 200],
    /// How near a tone is at least to its own frequency, against 25 Hz beside: ratio of the squares.
    nearness: [f32; 8],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let turn = |part: f64| {
        let (sine, cosine) = (part * std::f64::consts::TAU).sin_cos();
        (cosine as f32, -sine as f32)
    };
    let waves = std::array::from_fn(|n| {
        std::array::from_fn(|at| {
            let (cosine, sine) = turn(f64::from(TONES[at % 8]) * n as f64 / 8_000.0);
            if at < 8 { cosine } else { sine }
        })
    });
    // Of 20 ms a tone that is x times 50 Hz away gives sin πx / πx.
    let seen = |x: f32| match x.abs() < 1e-6 {
        true => 1.0,
        false => (std::f32::consts::PI * x).sin() / (std::f32::consts::PI * x),
    };
    let nearness = TONES.map(|hertz| {
        let away = f32::from(hertz) * TOLERANCE / 50.0;
        (seen(away) / seen(away - 0.5)).powi(2)
    });
    Tables { waves, turns: std::array::from_fn(|n| turn(n as f64 / 200.0)), nearness }
});

/// One step of sound: what of each tone is in it (real parts, then imaginary ones), and its energy.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    tones: [f32; 16],
    energy: f32,
}

/// Listens to one leg for keys.
#[derive(Clone, Debug, Default)]
pub struct Ear {
    steps: [Step; LOOK],
    /// Steps so far, of 200: where the waves stand.
    count: usize,
    /// What the last looks sounded like, and how often.
    seen: Option<char>,
    times: u8,
    /// The key that is down, and looks without it.
    down: Option<char>,
    without: u8,
}

impl Ear {
    /// Takes the next 20 ms; the key that went down in them.
    pub fn hear(&mut self, frame: &Frame) -> Option<char> {
        let tables = &*TABLES;
        let mut pressed = None;
        for at in 0..STEPS {
            let samples = &frame[at * STEP..(at + 1) * STEP];
            self.steps.rotate_left(1);
            self.steps[LOOK - 1] = self.measure(samples, tables);
            let key = self.look(tables);
            pressed = self.note(key).or(pressed);
        }
        pressed
    }

    fn measure(&mut self, samples: &[i16], tables: &Tables) -> Step {
        let start = self.count;
        self.count = (self.count + 1) % 200;
        let energy = samples.iter().map(|sample| f32::from(*sample).powi(2)).sum();
        let mut step = Step { tones: [0.0; 16], energy };
        if energy < FAINTEST * FAINTEST * STEP as f32 / 2.0 {
            return step; // Too faint for any tone.
        }
        for (sample, waves) in samples.iter().zip(&tables.waves) {
            let sample = f32::from(*sample);
            step.tones.iter_mut().zip(waves).for_each(|(sum, wave)| *sum += sample * wave);
        }
        for (tone, hertz) in TONES.iter().enumerate() {
            let turned = times(
                (step.tones[tone], step.tones[tone + 8]),
                tables.turns[usize::from(*hertz) * start % 200],
            );
            (step.tones[tone], step.tones[tone + 8]) = turned;
        }
        step
    }

    /// The key that the last 20 ms sound like.
    fn look(&self, tables: &Tables) -> Option<char> {
        let energy: f32 = self.steps.iter().map(|step| step.energy).sum();
        let half = (FRAME_SAMPLES / 2) as f32;
        if energy < 2.0 * FAINTEST * FAINTEST * half {
            return None;
        }
        let mut sums = [0.0; 16];
        for step in &self.steps {
            sums.iter_mut().zip(&step.tones).for_each(|(sum, part)| *sum += part);
        }
        let power: [f32; 8] = std::array::from_fn(|tone| sums[tone].powi(2) + sums[tone + 8].powi(2));
        let (row, row_power) = self.tone(0, &power, tables)?;
        let (column, column_power) = self.tone(4, &power, tables)?;
        let fits = row_power < TWIST_MAX * column_power
            && column_power < TWIST_MAX * row_power
            && row_power.min(column_power) > (FAINTEST * half).powi(2)
            && row_power + column_power > SHARE_MIN * half * energy;
        fits.then(|| KEYS[row][column - 4])
    }

    /// The tone of a group that is there, if it stands out and is near enough to its frequency; with
    /// its power.
    fn tone(&self, first: usize, power: &[f32; 8], tables: &Tables) -> Option<(usize, f32)> {
        let group = first..first + 4;
        let best = group.clone().max_by(|a, b| power[*a].total_cmp(&power[*b]))?;
        let beside = [false, true].map(|above| self.beside(best, above));
        let nearest = beside[0].max(beside[1]);
        let strongest = power[best].max(nearest);
        let stands_out = group.filter(|other| *other != best).all(|other| power[other] * AHEAD < strongest);
        let near = power[best] > tables.nearness[best] * nearest;
        (stands_out && near).then_some((best, strongest))
    }

    /// The power 25 Hz above a tone, or below: 45° a step.
    fn beside(&self, tone: usize, above: bool) -> f32 {
        const EIGHTH: f32 = std::f32::consts::FRAC_1_SQRT_2;
        const TURNS: [(f32, f32); LOOK] = [(1.0, 0.0), (EIGHTH, -EIGHTH), (0.0, -1.0), (-EIGHTH, -EIGHTH)];
        let mut sum = (0.0, 0.0);
        for (step, (cosine, sine)) in self.steps.iter().zip(TURNS) {
            let part =
                times((step.tones[tone], step.tones[tone + 8]), (cosine, if above { sine } else { -sine }));
            sum = (sum.0 + part.0, sum.1 + part.1);
        }
        sum.0 * sum.0 + sum.1 * sum.1
    }

    /// Whether a key goes down with what a look sounds like.
    fn note(&mut self, key: Option<char>) -> Option<char> {
        self.times = if key == self.seen { self.times.saturating_add(1) } else { 1 };
        self.seen = key;
        if key.is_some() && key == self.down {
            self.without = 0;
            return None;
        }
        self.without = self.without.saturating_add(1);
        if self.without >= UP {
            self.down = None;
        }
        if key.is_none() || self.times < DOWN {
            return None;
        }
        (self.down, self.without) = (key, 0);
        key
    }
}

fn times(a: (f32, f32), b: (f32, f32)) -> (f32, f32) {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// Ticks that a key is held, and that pass until the next: 100 ms each (Q.24 asks for 40).
const HELD_TICKS: u8 = 5;
const KEY_TICKS: u8 = 10;
/// Amplitudes of the row's and the column's tone: -10 and -9 dBm0, of which two clip nowhere.
const ROW: f32 = DBM0 * 0.316;
const COLUMN: f32 = DBM0 * 0.355;
/// Samples over which a tone comes and goes: 2 ms, so that it does not click.
const EDGE: usize = 16;

/// One key as tones, a frame a tick.
#[derive(Clone, Copy, Debug)]
pub struct Press {
    key: char,
    tick: u8,
}

impl Press {
    /// `key`, from its beginning. `None`: no such key.
    pub fn new(key: char) -> Option<Self> {
        place(key).map(|_| Press { key, tick: 0 })
    }

    /// The next 20 ms, the pause behind it included; `false`: it is over.
    pub fn frame(&mut self, frame: &mut Frame) -> bool {
        if self.tick >= KEY_TICKS {
            return false;
        }
        *frame = [0; FRAME_SAMPLES];
        if let Some((row, column)) = place(self.key).filter(|_| self.tick < HELD_TICKS) {
            let length = usize::from(HELD_TICKS) * FRAME_SAMPLES;
            let begun = usize::from(self.tick) * FRAME_SAMPLES;
            for (n, sample) in frame.iter_mut().enumerate() {
                let at = begun + n;
                let wave = |tone: u16| (std::f32::consts::TAU * f32::from(tone) * at as f32 / 8_000.0).sin();
                let edge = (at + 1).min(length - at).min(EDGE) as f32 / EDGE as f32;
                *sample = (edge * (ROW * wave(TONES[row]) + COLUMN * wave(TONES[4 + column]))) as i16;
            }
        }
        self.tick += 1;
        true
    }
}

fn place(key: char) -> Option<(usize, usize)> {
    let row = KEYS.iter().position(|row| row.contains(&key))?;
    Some((row, KEYS[row].iter().position(|known| *known == key)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Dice;
    use crate::media::g711::{self, Law};

    /// Samples of two tones: hertz and dBm0 of each.
    fn tones(ms: usize, row: (f64, f64), column: (f64, f64)) -> Vec<i16> {
        let wave = |n: usize, (hertz, level): (f64, f64)| {
            let amplitude = f64::from(DBM0) * 10_f64.powf(level / 20.0);
            amplitude * (n as f64 / 8_000.0 * hertz * std::f64::consts::TAU + hertz).sin()
        };
        (0..ms * 8).map(|n| (wave(n, row) + wave(n, column)) as i16).collect()
    }

    fn key(ms: usize, key: char, level: f64) -> Vec<i16> {
        let (row, column) = place(key).unwrap();
        tones(ms, (TONES[row].into(), level), (TONES[4 + column].into(), level))
    }

    fn silence(ms: usize) -> Vec<i16> {
        vec![0; ms * 8]
    }

    fn heard(sound: &[i16]) -> String {
        let mut ear = Ear::default();
        let mut sound = sound.to_vec();
        sound.resize(sound.len().next_multiple_of(FRAME_SAMPLES) + 4 * FRAME_SAMPLES, 0);
        let (frames, _) = sound.as_chunks::<FRAME_SAMPLES>();
        frames.iter().filter_map(|frame| ear.hear(frame)).collect()
    }

    fn keys() -> impl Iterator<Item = char> {
        KEYS.into_iter().flatten()
    }

    #[test]
    fn every_key_of_forty_milliseconds_is_heard_once_wherever_it_begins() {
        for (key_, offset) in keys().flat_map(|key| (0..40).map(move |offset| (key, offset * 4))) {
            for level in [-3.0, -10.0, -25.0] {
                let one = [vec![0; offset], key(40, key_, level)].concat();
                assert_eq!(heard(&one), String::from(key_), "{offset} samples late, {level} dBm0");
            }
        }
    }

    #[test]
    fn keys_are_told_apart_by_pauses_of_forty_milliseconds_and_not_by_holes_of_twenty() {
        for offset in 0..40 {
            let all: Vec<i16> = keys()
                .flat_map(|k| [key(40, k, -10.0), silence(40), key(40, k, -10.0), silence(40)].concat())
                .collect();
            let wanted: String = keys().flat_map(|key| [key, key]).collect();
            assert_eq!(heard(&[vec![0; offset * 4], all].concat()), wanted);
            let mut holed = key(120, '5', -10.0);
            holed[320 + offset..480 + offset].fill(0);
            assert_eq!(heard(&holed), "5");
        }
    }

    #[test]
    fn frequencies_are_taken_within_one_and_a_half_percent_and_refused_beyond_three_and_a_half() {
        for (key, (row, column)) in keys().map(|key| (key, place(key).unwrap())) {
            let [row, column] = [TONES[row], TONES[4 + column]].map(f64::from);
            for (a, b) in [
                (1.0, 0.0),
                (0.0, 1.0),
                (1.0, 1.0),
                (-1.0, 1.0),
                (1.0, -1.0),
                (-1.0, -1.0),
                (-1.0, 0.0),
                (0.0, -1.0),
            ] {
                for twist in [-6.0, -3.0, 0.0, 3.0, 6.0] {
                    let off = |part: f64| {
                        tones(
                            80,
                            (row * (1.0 + a * part), -12.0 + twist / 2.0),
                            (column * (1.0 + b * part), -12.0 - twist / 2.0),
                        )
                    };
                    assert_eq!(heard(&off(0.015)), String::from(key), "{a} {b}, twist {twist}");
                    assert_eq!(heard(&off(0.035)), "", "{key}: {a} {b}, twist {twist}");
                }
            }
        }
    }

    #[test]
    fn what_is_too_short_too_faint_or_too_uneven_is_no_key() {
        for (key_, (row, column)) in keys().map(|key| (key, place(key).unwrap())) {
            for offset in 0..40 {
                assert_eq!(
                    heard(&[vec![0; offset * 4], key(20, key_, -6.0)].concat()),
                    "",
                    "{key_} of 20 ms"
                );
            }
            assert_eq!(heard(&key(100, key_, -36.0)), "");
            let [row, column] = [TONES[row], TONES[4 + column]].map(f64::from);
            for twist in [-12.0, 12.0] {
                assert_eq!(heard(&tones(100, (row, -10.0 + twist / 2.0), (column, -10.0 - twist / 2.0))), "");
            }
            for one in [row, column] {
                assert_eq!(heard(&tones(100, (one, -6.0), (3_000.0, -90.0))), "", "one tone only");
            }
        }
        // Two of one group, and a third tone as strong as the two of a key.
        assert_eq!(heard(&tones(100, (697.0, -10.0), (852.0, -10.0))), "");
        let third = tones(100, (440.0, -6.0), (3_000.0, -90.0));
        let three: Vec<i16> = key(100, '5', -10.0).iter().zip(third).map(|(a, b)| a + b).collect();
        assert_eq!(heard(&three), "");
    }

    #[test]
    fn noise_of_fifteen_decibels_below_and_both_laws_leave_every_key_heard() {
        let mut dice = Dice::seeded(3);
        for (level, law) in [(-3.0, Law::A), (-25.0, Law::A), (-3.0, Law::Mu), (-25.0, Law::Mu)] {
            let rms = f64::from(DBM0) * 10_f64.powf((level - 15.0) / 20.0);
            let mut noisy = |sound: Vec<i16>| -> Vec<i16> {
                sound
                    .into_iter()
                    .map(|sample| {
                        // Twelve dice make a bell, whose deviation is one.
                        let bell =
                            (0..12).map(|_| f64::from(dice.next_u32()) / f64::from(u32::MAX)).sum::<f64>()
                                - 6.0;
                        let sample = (f64::from(sample) + rms * bell).clamp(-32_768.0, 32_767.0) as i16;
                        g711::decode_sample(law, g711::encode_sample(law, sample))
                    })
                    .collect()
            };
            let wanted: String = keys().collect::<String>().repeat(4);
            let all: Vec<i16> =
                wanted.chars().flat_map(|k| noisy([key(50, k, level), silence(50)].concat())).collect();
            assert_eq!(heard(&all), wanted, "{level} dBm0");
        }
    }

    #[test]
    fn keys_that_are_played_are_heard() {
        let mut ear = Ear::default();
        let mut heard = String::new();
        for key in keys().flat_map(|key| [key, key]) {
            let mut press = Press::new(key).unwrap();
            let mut frame = [0; FRAME_SAMPLES];
            while press.frame(&mut frame) {
                heard.extend(ear.hear(&frame));
            }
        }
        assert_eq!(heard, keys().flat_map(|key| [key, key]).collect::<String>());
        assert!(Press::new('x').is_none());
    }
}
