//! The words of the command line.
//!
//! Must not do anything: what a command does stands in the file of its family.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::dev;

/// A self-hosted portal for API keys, and the gate that decides whether a key opens the door.
#[derive(Debug, Parser)]
#[command(
    name = "latchkey",
    version,
    about,
    max_term_width = 100,
    after_help = "\
Exit codes: 0 done; 1 could not be done, the reason stands on standard error; 2 wrong words on the command line; \
78 the configuration cannot be used, each reason with its file and line or its variable."
)]
pub(super) struct Cli {
    /// The configuration file; without it, latchkey.toml in this folder, when there is one
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve the portal and the gate
    Serve(ServeArgs),
    /// Serve a believable company that needs no configuration, to look around in
    Demo(DemoArgs),
    /// Bring the database's tables to this version
    Migrate,
    /// Read the configuration, say what is wrong with it, and start nothing
    CheckConfig,
    /// Check whether the database is whole, and holds what Latchkey writes
    CheckData,
    /// Make the people who look after the installation, or any other
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Add products, or list them
    #[command(subcommand)]
    Products(ProductsCommand),
    /// List the plans, or change their limits
    #[command(subcommand)]
    Plans(PlansCommand),
    /// Look after accounts
    #[command(subcommand)]
    Accounts(AccountsCommand),
    /// Disable a key, or enable it again
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Look after secrets that can be read again
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// List the processes that serve, and how far each has followed the changes
    Nodes,
    /// Copy the database to a file while it is in use
    Backup(BackupArgs),
    /// Put such a copy in the database's place, and end again what was ended since; no node may serve
    Restore(RestoreArgs),
    /// What is of use to those who work on Latchkey itself
    #[command(subcommand)]
    Dev(DevCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum SecretsCommand {
    /// Seal them all with the first key of the master key file, while the installation serves
    Rekey,
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Serve one of the two alone
    #[arg(long, value_enum)]
    pub(super) only: Option<Part>,
    /// Bring a PostgreSQL database's tables to this version first; on SQLite this happens by itself
    #[arg(long)]
    pub(super) migrate: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    Portal,
    Gate,
}

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Where the portal listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(super) portal: std::net::SocketAddr,
    /// Where the gate listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8081")]
    pub(super) gate: std::net::SocketAddr,
    /// Send no requests of its own
    #[arg(long)]
    pub(super) no_traffic: bool,
    /// Print one line of JSON with people, products and keys, for programs
    #[arg(long)]
    pub(super) json: bool,
    /// Keep the demo in this folder, or go on with the one that it holds
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Make a person, and print a one-time link with which they choose their password
    CreateUser(CreateUserArgs),
    /// Have every gate load everything anew: after the database was changed by other means than Latchkey
    NewEpoch,
}

#[derive(Debug, Args)]
pub(super) struct CreateUserArgs {
    /// The person's name
    #[arg(long)]
    pub(super) name: String,
    /// Their mail address, with which they sign in
    #[arg(long)]
    pub(super) email: String,
    /// Give them the staff pages
    #[arg(long, value_enum, value_name = "ROLE")]
    pub(super) staff: Option<Staff>,
    /// Make them a member of this account
    #[arg(long, value_name = "SLUG")]
    pub(super) account: Option<String>,
    /// Their role in the account
    #[arg(long, value_enum, requires = "account", default_value = "developer")]
    pub(super) role: Member,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Staff {
    Support,
    Admin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Member {
    Viewer,
    Developer,
    Owner,
}

#[derive(Debug, Subcommand)]
pub(super) enum ProductsCommand {
    /// Add a product
    Add(Box<AddProductArgs>),
    /// Say how often a second a key may ask for a product; every gate holds keys to it within a second
    SetRate {
        /// The product's short name
        slug: String,
        /// Requests a second of each key, or none
        per_second: String,
    },
    /// List the products
    List,
}

#[derive(Debug, Args)]
pub(super) struct AddProductArgs {
    /// The product's short name in addresses: lower-case letters, digits and hyphens
    pub(super) slug: String,
    /// Its name for people
    #[arg(long)]
    pub(super) name: String,
    /// What it is, in a word or two
    #[arg(long, default_value = "API")]
    pub(super) kind: String,
    /// A host and path that belong to it, such as api.example.com/search; may be given several times
    #[arg(long = "route", value_name = "HOST/PATH", required = true)]
    pub(super) routes: Vec<String>,
    /// A path below which only keys with admin access are let through; may be given several times
    #[arg(long = "admin-prefix", value_name = "PATH")]
    pub(super) admin_prefixes: Vec<String>,
    /// A part of it that a key can be bound to, such as "tiles Map tiles: /map/tile /map/style"; may be given several times
    #[arg(long = "scope", value_name = "SLUG NAME: PATH…")]
    pub(super) scopes: Vec<String>,
    /// Which keys may stand in the query
    #[arg(long, value_enum, value_name = "WHICH", default_value = "browser")]
    pub(super) key_in_query: InQuery,
    /// How often a second a key may ask for it
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) per_second: Option<u32>,
    /// Let the secrets of server keys be copied again, where all of a key's products do
    #[arg(long)]
    pub(super) recoverable: bool,
    /// A product that a key with this one needs too; may be given several times
    #[arg(long = "needs", value_name = "PRODUCT")]
    pub(super) needs: Vec<String>,
    /// Where it is documented
    #[arg(long, value_name = "URL")]
    pub(super) docs_url: Option<String>,
    /// A GET request that shows it at work
    #[arg(long, value_name = "URL")]
    pub(super) sample_url: Option<String>,
    /// What one should see when that request is let through
    #[arg(long, value_name = "TEXT", requires = "sample_url")]
    pub(super) sample_expect: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum InQuery {
    Never,
    Browser,
    Any,
}

#[derive(Debug, Subcommand)]
pub(super) enum PlansCommand {
    /// List the plans with their limits
    List,
    /// Change a plan's limits; every gate holds its accounts to them within a second
    Set(PlanArgs),
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// free, starter, professional or enterprise
    pub(super) plan: String,
    /// Requests a second of each key and product, or none
    #[arg(long, value_name = "NUMBER")]
    pub(super) per_second: Option<String>,
    /// Requests a minute of each key, or none
    #[arg(long, value_name = "NUMBER")]
    pub(super) per_minute: Option<String>,
    /// Requests at once of each key, or none: then as many as in a minute
    #[arg(long, value_name = "NUMBER")]
    pub(super) burst: Option<String>,
    /// Requests in a UTC day of the whole account, or none
    #[arg(long, value_name = "NUMBER")]
    pub(super) per_day: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum AccountsCommand {
    /// Give an account another plan
    SetPlan {
        /// The account, as in its pages' addresses
        account: String,
        /// free, starter, professional or enterprise
        plan: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Disable a key; every gate refuses it within a second
    Disable {
        /// The key's public ID
        key_id: String,
        /// Why, in words that its owner reads
        #[arg(long)]
        reason: String,
    },
    /// Enable a disabled key
    Enable {
        /// The key's public ID
        key_id: String,
        /// Why it may work again
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The file to write; it must not exist yet
    #[arg(long, value_name = "FILE")]
    pub(super) to: PathBuf,
    /// Encrypt it with the master key, which is not in it
    #[arg(long)]
    pub(super) encrypt: bool,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The file that `backup` wrote
    #[arg(long, value_name = "FILE")]
    pub(super) from: PathBuf,
    /// A gate's log of revocations; may be given several times. Without it, the one of the data folder
    #[arg(long, value_name = "FILE")]
    pub(super) revocations: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum DevCommand {
    /// Fill an empty database with many keys, and write their secrets to a file
    Seed(SeedArgs),
    /// List the portal's routes with the least role that may use each
    Routes,
}

#[derive(Debug, Args)]
pub(super) struct SeedArgs {
    /// How many keys
    #[arg(long)]
    keys: u32,
    /// How many of them in an account
    #[arg(long, value_name = "N", default_value_t = dev::KEYS_EACH)]
    keys_each: u32,
    /// How many days of activity behind each key
    #[arg(long, value_name = "N", default_value_t = 0)]
    days: u16,
    /// Where the secrets go, one a line
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl SeedArgs {
    pub(super) fn wish(&self) -> dev::Wish {
        dev::Wish {
            keys: self.keys,
            keys_each: self.keys_each,
            days: self.days,
            out: self.out.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
