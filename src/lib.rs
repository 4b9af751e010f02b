//! Latchkey: a self-hosted portal for API keys, and the gate that decides whether a key opens the door.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod dev;
pub mod gate;
pub mod jobs;
pub mod log;
pub mod mail;
pub mod metrics;
pub mod portal;
pub mod seal;
pub mod store;
pub mod web;
