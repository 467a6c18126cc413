//! Several processes on one PostgreSQL.

mod load;
mod rolling;
mod service;
