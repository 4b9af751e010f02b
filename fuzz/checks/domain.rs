//! F-2: a page that an allowed domain lets in is on a host that agrees with the entry in every label right of its
//! left-most, read as browsers read it.
//!
//! The bytes: an entry, a line end, and what stands in `Origin` or `Referer`.

use latchkey_rules::domain::{DomainPattern, Origin};
use url::{Host, Url};

pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (entry, origin) = text.split_once('\n').unwrap_or((&text, ""));
    let Ok(entry) = DomainPattern::parse(entry) else {
        return;
    };
    let rule = entry.pattern.to_string();
    let again = DomainPattern::parse(&rule).unwrap().pattern;
    assert_eq!(again, entry.pattern, "{rule} is read as it is written");
    let Some(read) = Origin::parse(origin) else {
        return;
    };
    if !entry.pattern.covers(&read) {
        return;
    }
    let (scheme, rest) = origin.split_once("://").unwrap();
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap();
    assert!(!authority.contains('@'), "{origin} names a user");
    let host = as_browsers_read(scheme, authority);
    let (rule_scheme, rule) = rule
        .split_once("://")
        .map_or((None, &*rule), |(s, r)| (Some(s), r));
    assert!(rule_scheme.is_none_or(|rule| rule.eq_ignore_ascii_case(scheme)));
    assert!(
        agrees(without_port(rule), &host),
        "{rule} lets in {host}, of {origin}"
    );
}

/// The host by the URL standard, of which browsers' origins are made; the scheme does not matter to it.
fn as_browsers_read(scheme: &str, authority: &str) -> String {
    let known = ["http", "https", "ws", "wss"];
    let is_known = known.iter().any(|one| scheme.eq_ignore_ascii_case(one));
    let scheme = if is_known { scheme } else { "https" };
    let url = Url::parse(&format!("{scheme}://{authority}/"));
    let url = url.unwrap_or_else(|error| panic!("{authority} is let in, and {error}"));
    match url.host().unwrap() {
        Host::Domain(name) => name.strip_suffix('.').unwrap_or(name).to_owned(),
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => format!("[{ip}]"),
    }
}

fn without_port(rule: &str) -> &str {
    match rule.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => rule,
    }
}

/// The rule once more, label by label.
fn agrees(rule: &str, host: &str) -> bool {
    let Some((first, right)) = rule
        .split_once('.')
        .filter(|(first, _)| first.contains('*'))
    else {
        return rule == host;
    };
    assert!(
        psl::domain_str(right).is_some(),
        "{rule} reaches hosts of many owners"
    );
    let labels: Vec<&str> = host.split('.').collect();
    let fixed: Vec<&str> = right.split('.').collect();
    let Some(front) = labels
        .len()
        .checked_sub(fixed.len())
        .filter(|front| *front > 0)
    else {
        return false;
    };
    let (front, tail) = labels.split_at(front);
    let (begin, end) = first.split_once('*').unwrap();
    let is_covered = match front {
        _ if first == "*" => true,
        [label] => {
            label.len() >= begin.len() + end.len()
                && label.starts_with(begin)
                && label.ends_with(end)
        }
        _ => false,
    };
    tail == fixed && is_covered
}
