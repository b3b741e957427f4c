//! `hotline check` from the outside: every diagnostic that the sources can give has a fixture here,
//! which must provoke it and nothing else, at the right place, in both languages, with a remedy.

mod base;
mod calendars;
mod callers;
mod calling;
mod cases;
mod codecs;
mod command;
mod effective;
mod experts;
mod faulty;
mod files;
mod fixture;
mod flows;
mod includes;
mod lines;
mod meetings;
mod names;
mod network;
mod people;
mod prompts;
mod proof;
mod province;
mod queueing;
mod rewriting;
mod sarif;
mod schema;
mod shape;
mod shipped;
mod three_way;
mod trace;
mod transports;
mod trunk_terms;
mod trunks;
