//! The configuration and the command line: what is refused, where, and in which words.

#[cfg(test)]
mod broken;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod example;
#[cfg(test)]
mod settings;
