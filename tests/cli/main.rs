//! The configuration and the command line: what is refused, where, and in which words.

#![cfg(test)]

mod broken;
mod commands;
mod example;
mod settings;
