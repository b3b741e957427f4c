//! The queues from outside: cases told one by one, and thousands of random shifts whose invariants
//! are looked at after every step.

mod cases;
mod chance;
mod changes;
mod consults;
mod crowds;
mod dropped;
mod floor;
mod kept;
mod own;
mod property;
mod ring_all;
mod rules;
mod strategies;
mod transfers;
mod urgent;
