//! The specification, black box: a bridge and a mock Chatflow on free ports, asked over HTTP. One chapter a file.

#![cfg(test)]

mod harness;

mod abuse;
mod admin;
mod cli;
mod crash;
mod creating;
mod decoding;
mod doctor;
mod encryption;
mod explain;
mod faults;
mod handshakes;
mod intake;
mod letters;
mod library;
mod logs;
mod merging;
mod metrics;
mod order;
mod outcomes;
mod paused;
mod probe;
mod quiet;
mod reference;
mod refused;
mod reload;
mod repeats;
mod replicas;
mod retry;
mod schema;
mod senders;
mod senders_table;
mod shutdown;
mod stale;
mod start;
mod stores;
mod suggest;
mod tools;
mod traces;
mod verification;
mod wrong;
