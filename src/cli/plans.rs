//! The plans: listed, and given other numbers.

use latchkey_rules::limit::{Bounds, MAX_RATE};

use super::args::{PlanArgs, PlansCommand};
use super::print::say;
use super::{BY, Failed, Outcome};
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::accounts::{self, PlanFacts};
use crate::store::{Error, scope};

/// What stands for no limit.
const NONE: &str = "none";

pub(super) fn plans(config: &Config, command: &PlansCommand, clock: Clock) -> Outcome {
    let db = app::open_database(config, clock, false)?;
    let known = db.read_blocking(accounts::plans).map_err(Failed::because)?;
    let PlansCommand::Set(args) = command else {
        let lines: Vec<String> = known.iter().map(line).collect();
        return say(lines.join("\n"));
    };
    let Some(plan) = known.iter().find(|plan| plan.slug == args.plan) else {
        let slugs: Vec<&str> = known.iter().map(|plan| plan.slug.as_str()).collect();
        return Err(Failed::Because(format!(
            "There is no plan {}. The plans are {}.",
            args.plan,
            slugs.join(", ")
        )));
    };
    let bounds = bounds(plan, args).map_err(Failed::Because)?;
    let slug = plan.slug.clone();
    db.change_blocking(move |change| {
        accounts::set_bounds(change, &scope::operator(BY), &slug, &bounds)
    })
    .map_err(|error: Error| Failed::because(error))?;
    let now = PlanFacts {
        per_second: bounds.per_second.map(i64::from),
        per_minute: bounds.per_minute.map(i64::from),
        burst: bounds.burst.map(i64::from),
        per_day: bounds.per_day.and_then(|day| i64::try_from(day).ok()),
        ..plan.clone()
    };
    say(line(&now))
}

/// The plan's bounds with those that were given.
fn bounds(plan: &PlanFacts, args: &PlanArgs) -> Result<Bounds, String> {
    let before = plan.bounds();
    let rate = |given: &Option<String>, name, before: Option<u32>| match given {
        Some(text) => number(text, name, MAX_RATE.into())
            .map(|number| number.and_then(|number| u32::try_from(number).ok())),
        None => Ok(before),
    };
    let bounds = Bounds {
        per_second: rate(&args.per_second, "--per-second", before.per_second)?,
        per_minute: rate(&args.per_minute, "--per-minute", before.per_minute)?,
        burst: rate(&args.burst, "--burst", before.burst)?,
        per_day: match &args.per_day {
            Some(text) => number(text, "--per-day", u64::MAX >> 1)?,
            None => before.per_day,
        },
    };
    if bounds.burst.is_some() && bounds.per_minute.is_none() {
        return Err("--burst means nothing without --per-minute: give none for both.".to_owned());
    }
    Ok(bounds)
}

/// A whole number from 1, or none.
pub(super) fn number(text: &str, name: &str, most: u64) -> Result<Option<u64>, String> {
    if text == NONE {
        return Ok(None);
    }
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(Some(number)),
        _ => Err(format!(
            "{name} has to be a whole number from 1 to {most}, or none."
        )),
    }
}

fn line(plan: &PlanFacts) -> String {
    let shown = |number: Option<i64>| number.map_or(NONE.to_owned(), |number| number.to_string());
    format!(
        "{}\tper second {}\tper minute {}\tburst {}\tper day {}\tkeys {}",
        plan.slug,
        shown(plan.per_second),
        shown(plan.per_minute),
        shown(plan.burst),
        shown(plan.per_day),
        shown(plan.keys)
    )
}
