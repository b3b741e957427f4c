//! The city's 28 numbers in the shipped `routing.toml`: who is behind each, in which forms it is dialled,
//! what its callers get on any day, and how `hotline explain` tells it.

mod always;
mod cases;
mod city;
mod explain;
mod flows;
mod forms;
mod found;
mod list;
mod rooms;
mod transition;
