//! The shipped plan with five hundred seats.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hotline::id::SeatId;
use hotline::io::plan_files;
use hotline::routing::plan::Seat;
use hotline::routing::queueing::Strategy;
use hotline::routing::{Overrides, Plan};

/// Seats that take callers.
pub const SEATS: usize = 500;

/// The plan as it is at first; `turn` picks another strategy each time that it is read anew.
pub fn plan(turn: usize) -> Arc<Plan> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("routing.toml");
    let mut plan = plan_files::load(&path, &Overrides::default()).plan.expect("the shipped file is usable");
    let model = plan.seats.get("1001").expect("the shipped plan has it").clone();
    for number in 0..SEATS {
        let id = SeatId::from(format!("{}", 5_000 + number).as_str());
        let seat = Seat { id: id.clone(), order: (number % 7) as u16, ..model.clone() };
        plan.seats.insert(id, seat);
    }
    for queue in plan.queues.values_mut() {
        queue.length_max = 2_000;
        queue.rules.strategy = STRATEGIES[turn % STRATEGIES.len()];
        queue.rules.ageing = Some(Duration::from_secs(10));
    }
    Arc::new(plan)
}

const STRATEGIES: [Strategy; 6] = [
    Strategy::LongestIdle,
    Strategy::RoundRobin,
    Strategy::FewestCalls,
    Strategy::TopDown,
    Strategy::Random,
    Strategy::RingAll,
];
