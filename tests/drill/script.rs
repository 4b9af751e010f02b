//! A script of requests over twenty keys, by every way: through nginx, alone, in batches, as forward-auth, at two nodes of which
//! one is told to end midway. Afterwards each number that anybody can read is the script's own: the files of activity, the
//! pages, and the metrics.

use crate::books::Site;
use crate::http::Ask;
use crate::line::{self, Line, Reply};
use crate::needs;
use crate::operator::{Installation, PRODUCT, make_key, sign_up};
use crate::page::Browser;
use crate::process::Latchkey;
use crate::proxy::Proxied;
use serde_json::json;
use std::collections::BTreeMap;
use std::thread;

const KEYS: usize = 20;
const IN_A_BATCH: usize = 10;
/// Clients at each way.
const CLIENTS: usize = 2;

/// A key, and the page of it.
struct Key {
    secret: String,
    path: String,
}

/// How often each code was told, by key. What shows no key of the installation stands under none.
type Told = BTreeMap<(Option<usize>, String), u64>;

/// So many requests.
pub(crate) fn drill(requests: u32) {
    let site = Site::on_postgres().expect("a PostgreSQL: scripts/drill starts one");
    let requests = usize::try_from(requests).expect("a small number");
    let wrong = script(&site, requests);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs the script and names every number that is another.
pub(crate) fn script(site: &Site, requests: usize) -> Vec<String> {
    let installation = &site.installation;
    let mut one = installation.serve_node("one");
    let mut two = installation.serve_node("two");
    let owner = sign_up(&one, "Olga Owner", "Owner Maps", "olga@owner.example");
    let mut browser = Browser::signed_in(&one.portal, &owner);
    let account = owner.account.clone().expect("an account");
    let keys = keys(installation, &mut browser, &account);
    for node in [&one, &two] {
        needs::soon("each key on each node", || are_known(node, &keys));
    }
    let Some(proxy) = Proxied::start(&one.gate) else {
        return Vec::new();
    };
    // Half of it at both nodes, then one of them ends, and the rest is for the other alone.
    let half = requests / 2;
    let mut told = asked(&ways(&proxy, &one, &two), &keys, half);
    let mut counted = metrics(&two);
    assert!(two.stop().success(), "it ends when it is told to");
    add(
        &mut told,
        asked(&ways(&proxy, &one, &one), &keys, requests - half),
    );
    for (code, count) in metrics(&one) {
        *counted.entry(code).or_default() += count;
    }

    let of_keys: Told = told
        .iter()
        .filter(|((key, _), _)| key.is_some())
        .map(|(place, count)| (place.clone(), *count))
        .collect();
    let mut files = Told::new();
    let began = needs::now();
    while files != of_keys && began.elapsed().as_secs() < 10 {
        files = in_files(&mut browser, &keys);
    }
    let mut wrong = differing("the files", &files, &of_keys);
    wrong.extend(differing(
        "the pages",
        &on_pages(&mut browser, &keys),
        &of_keys,
    ));
    let by_code = told
        .iter()
        .fold(BTreeMap::new(), |mut sums, ((_, code), count)| {
            *sums.entry(code.clone()).or_insert(0) += count;
            sums
        });
    wrong.extend(differing("the metrics", &counted, &by_code));
    one.stop();
    println!("{requests} requests over {KEYS} keys: {by_code:?}");
    println!(
        "{} numbers in files, {} on pages, {} in metrics; differing from the script's own: {}",
        files.len(),
        of_keys.len(),
        counted.len(),
        wrong.len()
    );
    wrong
}

/// Keys of which each fourth opens nothing, in its own way.
fn keys(installation: &Installation, browser: &mut Browser, account: &str) -> Vec<Key> {
    let one = |number: usize| {
        let made = make_key(browser, account, &format!("key {number}"));
        match number % 8 {
            3 => drop(installation.done(&["keys", "disable", &made.key_id, "--reason", "A drill"])),
            7 => {
                let page = format!("{}/pause", made.path);
                browser.get(&page).submit("Pause key", &[("minutes", "0")]);
            }
            _ => {}
        }
        Key {
            secret: made.secret,
            path: made.path,
        }
    };
    (0..KEYS).map(one).collect()
}

/// Asks without being counted.
fn are_known(node: &Latchkey, keys: &[Key]) -> Option<()> {
    let code = |key: &Key| {
        let facts = json!({"secret": key.secret, "product": PRODUCT, "dry_run": true});
        node.verdict(&facts)["code"].clone()
    };
    let wanted = |number: usize| {
        if number % 4 == 3 {
            "KEY_DISABLED"
        } else {
            "VALID"
        }
    };
    let mut all = keys.iter().enumerate();
    all.all(|(number, key)| code(key) == wanted(number))
        .then_some(())
}

/// A way to ask, and where.
enum Way {
    Nginx(String),
    Verify(String),
    Batch(String),
    Authorize(String),
}

fn ways(proxy: &Proxied, here: &Latchkey, there: &Latchkey) -> Vec<Way> {
    vec![
        Way::Nginx(proxy.address.clone()),
        Way::Verify(here.gate.clone()),
        Way::Batch(there.gate.clone()),
        Way::Authorize(there.gate.clone()),
    ]
}

/// Asks so often, spread over all ways, and gives what was told.
fn asked(ways: &[Way], keys: &[Key], requests: usize) -> Told {
    let clients = ways.len() * CLIENTS;
    thread::scope(|threads| {
        let one = |client: usize| {
            let way = &ways[client % ways.len()];
            let share = requests / clients + usize::from(client < requests % clients);
            threads.spawn(move || work(way, keys, client, share))
        };
        let working: Vec<_> = (0..clients).map(one).collect();
        let mut told = Told::new();
        for client in working {
            add(&mut told, client.join().expect("a client"));
        }
        told
    })
}

fn work(way: &Way, keys: &[Key], client: usize, share: usize) -> Told {
    let mut told = Told::new();
    let (Way::Nginx(address)
    | Way::Verify(address)
    | Way::Batch(address)
    | Way::Authorize(address)) = way;
    let mut line = Line::to(address);
    let mut done = 0;
    while done < share {
        // nginx takes a thousand requests on a connection and then closes it.
        if done % 500 == 0 {
            line = Line::to(address);
        }
        let size = if matches!(way, Way::Batch(_)) {
            IN_A_BATCH.min(share - done)
        } else {
            1
        };
        // A prime, so that every client comes to every key and kind of request.
        let drawn: Vec<usize> = (0..size)
            .map(|place| (client * 7_919 + done + place) * 31)
            .collect();
        let codes = ask(way, &mut line, keys, &drawn);
        assert_eq!(codes.len(), size, "an answer to each question");
        for (number, code) in drawn.iter().zip(codes) {
            let is_known = !matches!(
                code.as_str(),
                "KEY_MALFORMED" | "KEY_NOT_FOUND" | "KEY_MISSING"
            );
            let key = is_known.then_some(number % KEYS);
            *told.entry((key, code)).or_default() += 1;
        }
        done += size;
    }
    told
}

fn ask(way: &Way, line: &mut Line, keys: &[Key], drawn: &[usize]) -> Vec<String> {
    let first = drawn[0];
    let (secret, path, product) = question(keys, first);
    let request = match way {
        Way::Nginx(_) => format!("GET {path} HTTP/1.1\r\nHost: api.example.com\r\nX-API-Key: {secret}\r\n\r\n").into_bytes(),
        Way::Authorize(_) => format!(
            "GET /v1/authorize HTTP/1.1\r\nHost: gate\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Host: api.example.com\r\n\
             X-Forwarded-Uri: {path}\r\nX-API-Key: {secret}\r\n\r\n"
        )
        .into_bytes(),
        Way::Verify(_) => line::verify(&secret, product),
        Way::Batch(_) => {
            let one = |number: &usize| {
                let (secret, _, product) = question(keys, *number);
                json!({"secret": secret, "product": product})
            };
            let asked: Vec<_> = drawn.iter().map(one).collect();
            line::posted("/v1/verify/batch", &json!({"requests": asked}).to_string())
        }
    };
    let reply = line.ask(&request).expect("an answer");
    match way {
        Way::Batch(_) => reply.codes(),
        _ => vec![told(&reply)],
    }
}

/// What the API behind nginx says was let through.
fn told(reply: &Reply) -> String {
    match reply.code() {
        "reached" => "VALID".to_owned(),
        code => code.to_owned(),
    }
}

/// The key of this number, mostly at its product; sometimes elsewhere, sometimes with another text.
fn question(keys: &[Key], number: usize) -> (String, &'static str, &'static str) {
    let secret = &keys[number % KEYS].secret;
    match number / KEYS % 10 {
        0 => (secret.clone(), "/nothing", "nothing-like-it"),
        1 => (format!("{}!", secret.split_at(9).0), "/search/1", PRODUCT),
        _ => (secret.clone(), "/search/1", PRODUCT),
    }
}

fn add(to: &mut Told, from: Told) {
    for (place, count) in from {
        *to.entry(place).or_default() += count;
    }
}

/// Verdicts by code, as the gate counts them.
fn metrics(latchkey: &Latchkey) -> BTreeMap<String, u64> {
    let page = Ask::get("/metrics").send(&latchkey.gate).text();
    let one = |line: &str| {
        let rest = line.strip_prefix("latchkey_verdicts_total{code=\"")?;
        let (code, count) = rest.split_once("\"} ")?;
        Some((code.to_owned(), count.parse().expect("a count")))
    };
    let all = page.lines().filter_map(one);
    all.filter(|(_, count)| *count > 0).collect()
}

/// What the keys' files of today say.
fn in_files(browser: &mut Browser, keys: &[Key]) -> Told {
    let mut found = Told::new();
    for (number, key) in keys.iter().enumerate() {
        let file = browser.ask(Ask::get(&format!("{}/activity.csv?range=today", key.path)));
        let file = file.expect("the portal answers").text();
        for line in file.lines().skip(1) {
            let fields: Vec<&str> = line.trim_end().split(',').collect();
            let count: u64 = fields[4].parse().expect("a count");
            *found
                .entry((Some(number), fields[3].to_owned()))
                .or_default() += count;
        }
    }
    found
}

/// What the keys' pages say of today: a row a code.
fn on_pages(browser: &mut Browser, keys: &[Key]) -> Told {
    let mut found = Told::new();
    for (number, key) in keys.iter().enumerate() {
        let html = browser.get(&format!("{}/today", key.path)).html();
        for row in html.split("<tr>").skip(2) {
            let code = row
                .split("/docs/verdicts#")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            let count = row
                .rsplit("<td class=\"num\">")
                .next()
                .and_then(|rest| rest.split('<').next());
            let count: String = count
                .expect("a count")
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            let place = (Some(number), code.expect("a code").to_owned());
            found.insert(place, count.parse().expect("a count"));
        }
    }
    found
}

fn differing<P: Ord + std::fmt::Debug + Clone>(
    what: &str,
    found: &BTreeMap<P, u64>,
    right: &BTreeMap<P, u64>,
) -> Vec<String> {
    let places = found
        .keys()
        .chain(right.keys().filter(|place| !found.contains_key(place)));
    let off = places.filter(|place| found.get(place) != right.get(place));
    off.map(|place| {
        format!(
            "{what} say {:?} of {place:?}, the script {:?}",
            found.get(place),
            right.get(place)
        )
    })
    .collect()
}

#[test]
fn r_03_every_number_is_the_scripts_own() {
    if let Some(site) = Site::on_postgres() {
        let wrong = script(&site, 3_000);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
