//! The command line: reads its words and the configuration, runs one command, and says how it went.
//!
//! Must not hold what a command does to the store: that stands in the file of its family.

mod args;
mod backups;
mod nodes;
mod offline;
mod people;
mod plans;
mod print;
mod serve;

use std::fmt::Display;
use std::process::ExitCode;

use clap::Parser;

use crate::app;
use crate::clock::Clock;
use crate::config::{Broken, Config, Log, LogFormat, Sources};
use crate::demo;
use crate::dev;
use crate::log;
use args::{Cli, Command, DevCommand, SecretsCommand};
use print::{complain, is_read_by_a_person, say};

/// The configuration cannot be used: the exit code that service managers do not restart on (sysexits.h, `EX_CONFIG`).
const BROKEN_CONFIGURATION: u8 = 78;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            for sentence in failed.sentences() {
                complain(sentence);
            }
            ExitCode::from(failed.code())
        }
    }
}

/// Why a command did not do what it was asked.
enum Failed {
    Configuration(Broken),
    /// What the configuration names cannot be used.
    Unusable(String),
    Because(String),
    /// The log says why; this is the exit code.
    Logged(u8),
}

impl Failed {
    fn because(why: impl Display) -> Self {
        Self::Because(why.to_string())
    }

    fn sentences(&self) -> Vec<String> {
        match self {
            Self::Configuration(broken) => {
                broken.problems().iter().map(ToString::to_string).collect()
            }
            Self::Unusable(why) | Self::Because(why) => vec![why.clone()],
            Self::Logged(_) => Vec::new(),
        }
    }

    const fn code(&self) -> u8 {
        match self {
            Self::Configuration(_) | Self::Unusable(_) => BROKEN_CONFIGURATION,
            Self::Because(_) => 1,
            Self::Logged(code) => *code,
        }
    }

    /// A server whose log programs read says there why it did not start; a person at a terminal reads sentences.
    fn logged(self, log: Log) -> Self {
        if log.format == LogFormat::Text || is_read_by_a_person() {
            return self;
        }
        log::start(log);
        for sentence in self.sentences() {
            tracing::error!("{sentence}");
        }
        Self::Logged(self.code())
    }
}

impl From<app::Error> for Failed {
    fn from(error: app::Error) -> Self {
        match error {
            app::Error::MasterKey(why) => Self::Unusable(why.to_string()),
            gone @ app::Error::SealingKey(_) => Self::Unusable(gone.to_string()),
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

/// Who the audit log says it was.
const BY: &str = "command line";

fn run(cli: &Cli) -> Outcome {
    let clock = Clock::system();
    if let Command::Demo(args) = &cli.command {
        return demo::run(&options(args), &clock).map_err(Failed::because);
    }
    if let Command::Dev(DevCommand::Routes) = &cli.command {
        return say(dev::routes());
    }
    let serves = matches!(cli.command, Command::Serve(_));
    let loaded = Config::load(&Sources::of_process(cli.config.clone()));
    let config = loaded.map_err(|broken| match broken.log() {
        Some(log) if serves => Failed::from(broken).logged(log),
        _ => Failed::from(broken),
    })?;
    match &cli.command {
        Command::Demo(_) | Command::Dev(DevCommand::Routes) => Ok(()),
        Command::Serve(args) => serve::serve(&config, args, &clock),
        Command::Migrate => offline::migrate(&config),
        Command::CheckConfig => {
            app::check_master_key(&config)?;
            say("The configuration can be used.")
        }
        Command::CheckData => offline::check_data(&config, clock),
        Command::Admin(command) => people::admin(&config, command, clock),
        Command::Products(command) => offline::products(&config, command, clock),
        Command::Plans(command) => plans::plans(&config, command, clock),
        Command::Accounts(command) => people::accounts(&config, command, clock),
        Command::Keys(command) => people::keys(&config, command, clock),
        Command::Secrets(SecretsCommand::Rekey) => offline::rekey(&config, clock),
        Command::Nodes => nodes::nodes(&config, clock),
        Command::Backup(args) => backups::backup(&config, args, clock),
        Command::Restore(args) => backups::restore(&config, args, &clock),
        Command::Dev(DevCommand::Seed(args)) => {
            say(dev::seed(&config, &args.wish(), &clock).map_err(Failed::because)?)
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
