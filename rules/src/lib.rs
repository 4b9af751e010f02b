//! What is true of API keys, whatever stores or serves them.
//!
//! This crate knows no I/O, no clock, no SQL and no HTTP: everything it needs is passed in.
//! Start reading at [`verdict`], the one decision that the gate, the page that explains a refusal
//! and the tests all drive.

#[macro_use]
mod worded;

pub mod access;
pub mod billing;
pub mod caller;
pub mod client_ip;
pub mod code;
pub mod domain;
pub mod email;
pub mod environment;
pub mod ip_range;
pub mod key_id;
pub mod kind;
pub mod label;
pub mod limit;
pub mod mail;
pub mod name;
pub mod password;
pub mod path;
pub mod product;
pub mod role;
pub mod rotation;
pub mod secret;
pub mod slug;
pub mod status;
pub mod time;
pub mod verdict;
