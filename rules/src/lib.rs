//! What is true of API keys, whatever stores or serves them.
//!
//! This crate knows no I/O, no clock, no SQL and no HTTP: everything it needs is passed in.
