//! The house's own rules, read from its sources: who may know whom, which crates go where, which shortcuts are refused,
//! and whether the lists in the documentation still tell the truth. Knows nothing of what the product does.

#![cfg(test)]

mod layers;
mod look;
mod operations;
mod rights;
mod smells;
mod sources;
mod suites;
mod trust;
