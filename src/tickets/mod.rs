//! Case records and the outbox that hands them to a ticket office at least once.

pub mod event;
