//! The specification, black box: a bridge and a mock Chatflow on free ports, asked over HTTP. One chapter a file.

#![cfg(test)]

mod harness;

mod admin;
mod cli;
mod crash;
mod doctor;
mod handshakes;
mod intake;
mod metrics;
mod order;
mod paused;
mod quiet;
mod retry;
mod shutdown;
mod start;
mod verification;
