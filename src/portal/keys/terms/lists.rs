//! The two lists that bind a key: domains and addresses, read by the parsers that the gate reads them with.

use latchkey_rules::domain::DomainPattern;
use latchkey_rules::ip_range::IpRange;

use super::entries::{self, Entries, EntryView, Kind};

const LOCALHOST: &str = "localhost";

pub(super) const DOMAINS: Kind<DomainPattern> = Kind {
    list: "Allowed domains",
    field: "domains",
    read: |text| {
        let entry = DomainPattern::parse(text).map_err(|wrong| wrong.to_string())?;
        let words = entry.pattern.in_words();
        let says = if entry.was_cut {
            format!("{words}; what came after the host was left away")
        } else {
            words
        };
        Ok((entry.pattern, says))
    },
    includes: DomainPattern::includes,
    mended: DomainPattern::mended,
};

pub(super) const IPS: Kind<IpRange> = Kind {
    list: "Allowed IPs",
    field: "ips",
    read: |text| {
        let range = IpRange::parse(text).map_err(|wrong| wrong.to_string())?;
        Ok((range, range.in_words()))
    },
    includes: IpRange::includes,
    mended: IpRange::mended,
};

/// The entries, or what is wrong with the first that is none.
pub(super) fn read<T: ToString>(raw: &str, kind: &Kind<T>) -> Result<Vec<T>, String> {
    let Entries { read, error, .. } = entries::entries(raw, kind);
    error.map_or(Ok(read), Err)
}

/// Each entry as it was read.
pub(super) fn views<T: ToString>(raw: &str, kind: &Kind<T>) -> Vec<EntryView> {
    entries::entries(raw, kind).views
}

/// Whether an entry allows pages of one's own machine, with any port.
pub(super) fn has_localhost(domains: &str) -> bool {
    let Ok(localhost) = DomainPattern::parse(LOCALHOST) else {
        return false;
    };
    let read = entries::entries(domains, &DOMAINS).read;
    read.iter().any(|one| one.includes(&localhost.pattern))
}

/// Adds one that does.
pub(super) fn add_localhost(domains: &mut String) {
    if has_localhost(domains) {
        return;
    }
    if !domains.is_empty() && !domains.ends_with('\n') {
        domains.push('\n');
    }
    domains.push_str(LOCALHOST);
}
