//! The command line: reads its words and the configuration, runs one command, and says how it went.
//!
//! Must not hold what a command does to the store: that stands in the file of its family.

mod args;
mod offline;
mod people;
mod print;
mod serve;

use std::fmt::Display;
use std::process::ExitCode;

use clap::Parser;

use crate::app;
use crate::clock::Clock;
use crate::config::{Broken, Config, Sources};
use crate::demo;
use crate::dev;
use args::{Cli, Command, DevCommand};
use print::{complain, say};

/// The configuration cannot be used: the exit code that service managers do not restart on (sysexits.h, `EX_CONFIG`).
const BROKEN_CONFIGURATION: u8 = 78;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed::Configuration(broken)) => {
            for problem in broken.problems() {
                complain(problem);
            }
            ExitCode::from(BROKEN_CONFIGURATION)
        }
        Err(Failed::Unusable(why)) => {
            complain(why);
            ExitCode::from(BROKEN_CONFIGURATION)
        }
        Err(Failed::Because(why)) => {
            complain(why);
            ExitCode::FAILURE
        }
    }
}

/// Why a command did not do what it was asked.
enum Failed {
    Configuration(Broken),
    /// What the configuration names cannot be used.
    Unusable(String),
    Because(String),
}

impl Failed {
    fn because(why: impl Display) -> Self {
        Self::Because(why.to_string())
    }
}

impl From<app::Error> for Failed {
    fn from(error: app::Error) -> Self {
        match error {
            app::Error::MasterKey(why) => Self::Unusable(why.to_string()),
            other => Self::because(other),
        }
    }
}

impl From<Broken> for Failed {
    fn from(broken: Broken) -> Self {
        Self::Configuration(broken)
    }
}

type Outcome = Result<(), Failed>;

fn run(cli: &Cli) -> Outcome {
    let clock = Clock::system();
    if let Command::Demo(args) = &cli.command {
        return demo::run(&options(args), &clock).map_err(Failed::because);
    }
    if let Command::Dev(DevCommand::Routes) = &cli.command {
        return say(dev::routes());
    }
    let config = Config::load(&Sources::of_process(cli.config.clone()))?;
    match &cli.command {
        Command::Demo(_) | Command::Dev(DevCommand::Routes) => Ok(()),
        Command::Serve(args) => serve::serve(&config, args, &clock),
        Command::Migrate => offline::migrate(&config),
        Command::CheckConfig => {
            app::check_master_key(&config)?;
            say("The configuration can be used.")
        }
        Command::Admin(command) => people::admin(&config, command, clock),
        Command::Products(command) => offline::products(&config, command, clock),
        Command::Accounts(command) => people::accounts(&config, command, clock),
        Command::Keys(command) => people::keys(&config, command, clock),
        Command::Backup(args) => offline::backup(&config, args, clock),
        Command::Dev(DevCommand::Seed { keys, out }) => {
            let seeded = dev::seed(&config, *keys, out, &clock).map_err(Failed::because)?;
            say(seeded)
        }
    }
}

fn options(args: &args::DemoArgs) -> demo::Options {
    demo::Options {
        portal: args.portal,
        gate: args.gate,
        traffic: !args.no_traffic,
        json: args.json,
        data: args.data.clone(),
    }
}
