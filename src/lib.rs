//! Latchkey: a self-hosted portal for API keys, and the gate that decides whether a key opens the door.

pub mod web;
