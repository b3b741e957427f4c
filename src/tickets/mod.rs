//! Case records and the outbox that hands them to a ticket office at least once.
//!
//! Events are what leaves the house, [`ticket::Ticket`] is a fold over them, and [`outbox::Outbox`]
//! decides what is sent when. Sending, storing and what a fact of a call is are for others.

mod backlog;
mod body;
pub mod event;
pub mod outbox;
#[cfg(test)]
mod outbox_test;
pub mod progress;
pub mod sharing;
pub mod signature;
pub mod story;
pub mod ticket;
mod words;
