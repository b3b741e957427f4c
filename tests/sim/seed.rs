//! Seeds: one as a rule, another or many of them by the environment.

use hotline::routing::Plan;

use crate::city::City;

/// What is played where the environment says nothing: a run in CI can be replayed anywhere.
const USUAL: u64 = 20_210_801;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: no number: {text}")))
}

/// The seeds of this run: `HOTLINE_RUNS` of them (1) from `HOTLINE_SEED` (the usual one) on.
pub fn seeds() -> impl Iterator<Item = u64> {
    let first = from_environment("HOTLINE_SEED").unwrap_or(USUAL);
    first..first + from_environment("HOTLINE_RUNS").unwrap_or(1)
}

/// The seeds of a test that plays so many cities as a rule: `HOTLINE_SEED` alone plays that one.
pub fn seeds_of(usually: u64) -> impl Iterator<Item = u64> {
    let asked = from_environment("HOTLINE_SEED");
    let first = asked.unwrap_or(USUAL);
    let runs = from_environment("HOTLINE_RUNS").unwrap_or(if asked.is_some() { 1 } else { usually });
    first..first + runs
}

/// Plays `case` in a city of its own for each seed, and sees to it that nothing is left over.
pub fn in_a_city(case: impl Fn(&mut City)) {
    in_a_city_with(|_| {}, case);
}

/// The same where the city has decided some things otherwise than the shipped `routing.toml`.
pub fn in_a_city_with(decided: impl Fn(&mut Plan), case: impl Fn(&mut City)) {
    for seed in seeds() {
        play(seed, &decided, &case);
    }
}

/// One city from its foundation to its end; gives the sum of all that was said in it.
pub fn play(seed: u64, decided: &impl Fn(&mut Plan), case: &impl Fn(&mut City)) -> u64 {
    println!("seed {seed}; HOTLINE_SEED={seed} replays it");
    let mut city = City::new(seed, decided);
    case(&mut city);
    city.closes();
    city.trace()
}
