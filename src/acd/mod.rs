//! Who gets the next seat: queues, seats and the decision between them.

pub mod event;
