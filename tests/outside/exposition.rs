//! A page of metrics, read as strictly as the text format is written: each family once, with its help and its kind before its
//! samples; names and labels of the permitted letters; no sample twice; histograms that add up.

use std::collections::{BTreeMap, BTreeSet};

/// A family with its samples.
#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// The families of a page, or what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<BTreeMap<String, Family>, String> {
    if !text.ends_with('\n') {
        return Err("the last line has no end".to_owned());
    }
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = None;
    let mut helped = None;
    for line in text.lines() {
        let off = |why: &str| format!("{why}: {line}");
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').ok_or_else(|| off("no help"))?;
            if !is_name(name, true) || words.is_empty() || !escapes_hold(words, "\\n") {
                return Err(off("a bad help"));
            }
            helped = Some(name.to_owned());
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').ok_or_else(|| off("no kind"))?;
            let known = ["counter", "gauge", "histogram"].contains(&kind);
            if helped.take().as_deref() != Some(name) || !known {
                return Err(off("a kind without its help, or an unknown one"));
            }
            let family = Family {
                kind: kind.to_owned(),
                samples: Vec::new(),
            };
            if families.insert(name.to_owned(), family).is_some() {
                return Err(off("a family twice"));
            }
            current = Some(name.to_owned());
        } else {
            let sample = sample(line).ok_or_else(|| off("no sample"))?;
            let name = current
                .as_ref()
                .ok_or_else(|| off("a sample of no family"))?;
            let family = families.get_mut(name).ok_or_else(|| off("a lost family"))?;
            if helped.is_some() || !belongs(&sample, name, &family.kind) {
                return Err(off("a sample of another family"));
            }
            family.samples.push(sample);
        }
    }
    for (name, family) in &families {
        check(name, family)?;
    }
    Ok(families)
}

fn is_name(name: &str, may_have_colons: bool) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || (may_have_colons && c == ':');
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

/// Behind each backslash stands one of the letters that may be escaped.
fn escapes_hold(text: &str, letters: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && !chars.next().is_some_and(|next| letters.contains(next)) {
            return false;
        }
    }
    true
}

fn belongs(sample: &Sample, family: &str, kind: &str) -> bool {
    if kind != "histogram" {
        return sample.name == family && !sample.labels.contains_key("le");
    }
    let part = sample.name.strip_prefix(family);
    match part {
        Some("_bucket") => sample.labels.contains_key("le"),
        Some("_sum" | "_count") => !sample.labels.contains_key("le"),
        _ => false,
    }
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = value.strip_prefix(' ')?;
    let is_number = |c: char| c.is_ascii_digit() || "+-.e".contains(c);
    (is_name(name, true) && value.chars().all(is_number)).then_some(())?;
    Some(Sample {
        name: name.to_owned(),
        labels,
        value: value.parse().ok()?,
    })
}

/// The labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut found = BTreeMap::new();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next()? {
                (end, '"') => break end,
                (_, '\\') => value.push(match chars.next()?.1 {
                    'n' => '\n',
                    c @ ('\\' | '"') => c,
                    _ => return None,
                }),
                (_, c) => value.push(c),
            }
        };
        let is_new = found.insert(name.to_owned(), value).is_none();
        (is_name(name, false) && is_new && !name.starts_with("__")).then_some(())?;
        rest = after.get(end + 1..)?;
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Some((found, rest.strip_prefix('}')?)),
        }
    }
}

fn check(name: &str, family: &Family) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for sample in &family.samples {
        if !seen.insert((&sample.name, &sample.labels)) {
            return Err(format!("twice: {sample:?}"));
        }
        if family.kind != "gauge" && sample.value < 0.0 {
            return Err(format!("below nothing: {sample:?}"));
        }
    }
    if family.kind == "counter" && !name.ends_with("_total") {
        return Err(format!("a counter without _total: {name}"));
    }
    if family.kind == "histogram" {
        return adds_up(name, family);
    }
    Ok(())
}

/// Buckets rise to the last, which is `+Inf` and equals the count.
fn adds_up(name: &str, family: &Family) -> Result<(), String> {
    let mut by_labels: BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>> = BTreeMap::new();
    for bucket in family
        .samples
        .iter()
        .filter(|s| s.labels.contains_key("le"))
    {
        let mut labels = bucket.labels.clone();
        let bound = labels.remove("le").unwrap_or_default();
        let bound = if bound == "+Inf" {
            f64::INFINITY
        } else {
            bound
                .parse()
                .map_err(|_text| format!("no bound: {bucket:?}"))?
        };
        by_labels
            .entry(labels)
            .or_default()
            .push((bound, bucket.value));
    }
    for (labels, buckets) in &by_labels {
        let rises = buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1);
        let of = |part: &str| {
            let name = format!("{name}_{part}");
            let mut found = family.samples.iter().filter(|s| s.name == name);
            found.find(|s| s.labels == *labels).map(|s| s.value)
        };
        let last = buckets.last().copied();
        let whole = of("count").map(|count| (f64::INFINITY, count));
        if !rises || last != whole || of("sum").is_none() {
            return Err(format!("{name} {labels:?} does not add up: {buckets:?}"));
        }
    }
    Ok(())
}

#[test]
fn what_the_format_forbids_is_found() {
    let good = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"\\\"\\\\\\n\"} 1\n";
    assert_eq!(parse(good).unwrap().len(), 1);
    let histogram = |inf: u32, count: u32| {
        format!(
            "# HELP h H.\n# TYPE h histogram\nh_bucket{{le=\"1\"}} 2\nh_bucket{{le=\"+Inf\"}} {inf}\nh_sum 1\nh_count {count}\n"
        )
    };
    assert!(parse(&histogram(2, 2)).is_ok());
    for bad in [
        "a_total 1\n".to_owned(),
        good.replace(" 1\n", " 1"),
        good.replace("# HELP a_total A.\n", ""),
        good.replace(" counter", " number"),
        good.replace("a_total{", "b_total{"),
        good.replace("a_total", "a"),
        good.replace("\\n", "\\t"),
        good.replace("x=", "2x="),
        good.replace(" 1\n", " one\n"),
        format!("{good}{good}"),
        format!("{good}a_total{{x=\"\\\"\\\\\\n\"}} 2\n"),
        histogram(1, 1),
        histogram(3, 2),
    ] {
        assert!(parse(&bad).is_err(), "{bad}");
    }
}
