//! Who gets the next seat: queues, seats and the decision between them.
//!
//! [`Acd`] is told who waits and what seats do, and decides who rings whom. How an offer reaches a
//! telephone, what a waiting caller hears and what becomes of one who overflows are for others.

#[expect(clippy::module_inception, reason = "the machine has the room's name")]
mod acd;
mod board;
mod change;
mod check;
mod decide;
pub mod event;
mod join;
mod kept;
mod line;
mod need;
mod offer;
mod own;
mod place;
mod planning;
mod queue;
mod seat;
mod surge;
mod talk;
mod transfer;
mod wait;
mod waiting;

pub use acd::Acd;
pub use board::QueueView;
pub use place::Place;
pub use wait::Handling;
