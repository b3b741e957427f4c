//! The queues from outside: cases told one by one, and thousands of random shifts whose invariants
//! are looked at after every step.

mod cases;
mod chance;
mod floor;
mod own;
mod property;
mod transfers;
mod ring_all;
mod rules;
mod strategies;
