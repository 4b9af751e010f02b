//! `latchkey serve`.

use super::args::{Part, ServeArgs};
use super::{Failed, Outcome};
use crate::app::{self, Application, Parts};
use crate::clock::Clock;
use crate::config::Config;
use crate::log;
use crate::store;
use crate::store::products;

pub(super) fn serve(config: &Config, args: &ServeArgs, clock: &Clock) -> Outcome {
    log::start(config.log);
    served(config, args, clock).map_err(|failed| failed.logged(config.log))
}

fn served(config: &Config, args: &ServeArgs, clock: &Clock) -> Outcome {
    let parts = Parts {
        portal: args.only != Some(Part::Gate),
        gate: args.only != Some(Part::Portal),
    };
    let db = app::open_database(config, clock.clone(), args.migrate)?;
    let application = Application::build(config, clock, db, parts)?;
    say_where_to_begin(&application).map_err(Failed::because)?;
    let (portal, gate) = (
        application.portal_url().to_owned(),
        application.gate_url().to_owned(),
    );
    let ready = || {
        tracing::info!(
            portal.url = parts.portal.then_some(portal.as_str()),
            gate.url = parts.gate.then_some(gate.as_str()),
            "serving"
        );
    };
    application.run(ready).map_err(Failed::because)
}

/// A portal without products can make no key, and without an administrator nobody looks after it.
fn say_where_to_begin(application: &Application) -> store::Result<()> {
    let products = application.db().read_blocking(products::count)?;
    if products == 0 {
        tracing::warn!(
            "there is no product yet, so no key can be made: latchkey products add routing --name Routing --route api.example.com/routing"
        );
    }
    Ok(())
}
