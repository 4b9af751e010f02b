//! The time zones to choose from, by region. Names that are kept only for old systems are left out.

use std::sync::LazyLock;

/// The zones of a region.
pub(super) struct Region {
    /// Its name.
    pub(super) region: &'static str,
    /// Their names.
    pub(super) names: Vec<String>,
}

const REGIONS: [&str; 10] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
];

static ALL: LazyLock<Vec<Region>> = LazyLock::new(|| {
    let db = jiff::tz::db();
    let names: Vec<String> = db.available().map(|name| name.to_string()).collect();
    let utc = Region {
        region: "Everywhere",
        names: vec!["UTC".to_owned()],
    };
    let of = |region: &'static str| Region {
        region,
        names: names
            .iter()
            .filter(|name| name.split_once('/').is_some_and(|(head, _)| head == region))
            .cloned()
            .collect(),
    };
    std::iter::once(utc)
        .chain(REGIONS.into_iter().map(of))
        .collect()
});

/// All of them, UTC first.
pub(super) fn all() -> &'static [Region] {
    &ALL
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::zone::Zone;

    #[test]
    fn every_zone_to_choose_is_one() {
        let names: Vec<&String> = all().iter().flat_map(|region| &region.names).collect();
        assert!(names.len() > 300, "{}", names.len());
        for name in names {
            assert_eq!(
                Zone::parse(name)
                    .map(|zone| zone.label().to_owned())
                    .as_ref(),
                Some(name)
            );
        }
    }
}
