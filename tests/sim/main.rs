//! A city in a test: the whole house between its sockets and its disk, telephones, clerks and a
//! ticket office, on one clock, one lossy network and one thread. Idle time is skipped.
//!
//! Each test prints its seed. `HOTLINE_SEED=n` replays that seed, `HOTLINE_RUNS=n` runs n of them.

mod adapter;
mod busy;
mod city;
mod clerk;
mod deeds;
mod desk;
mod ear;
mod exchange;
mod hearing;
mod house;
mod network;
mod people;
mod seed;
mod seen;
mod settling;
mod sound;
mod sums;
mod watch;

mod case_attended;
mod case_bots;
mod case_calendar;
mod case_codecs;
mod case_crowd;
mod case_follow_up;
mod case_hand_on;
mod case_house;
mod case_in_use;
mod case_kb;
mod case_kept;
mod case_lapsed;
mod case_left;
mod case_matrix;
mod case_missed;
mod case_moves;
mod case_notices;
mod case_numbers;
mod case_offers;
mod case_office;
mod case_outward;
mod case_outward_three;
mod case_people;
mod case_platforms;
mod case_queue;
mod case_races;
mod case_rings;
mod case_rooms;
mod case_script;
mod case_threeway;
mod case_told;
mod case_transfers;
mod case_trunks;
mod case_vanished;
mod case_watching;
mod case_ways;
