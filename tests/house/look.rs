//! The look's own promises, read from the style sheet and the templates: what is printed can be read, every icon is there,
//! and a page stays light. Knows nothing of what the pages say.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{below, read, root};

type Rgb = [f64; 3];

/// The two faces of each colour: light, dark.
fn tokens() -> BTreeMap<String, [Rgb; 2]> {
    let css = read("static/latchkey.css");
    let mut found = BTreeMap::new();
    for (at, _) in css.match_indices("--") {
        let Some((name, rest)) = css.split_at(at + 2).1.split_once(':') else {
            continue;
        };
        let value = rest.split([';', '}']).next().unwrap_or_default();
        let faces = match value
            .strip_prefix("light-dark(")
            .and_then(|v| v.strip_suffix(')'))
        {
            Some(pair) => pair
                .split_once(',')
                .and_then(|(l, d)| Some([colour(l)?, colour(d)?])),
            None => colour(value).map(|c| [c, c]),
        };
        if let Some(faces) = faces {
            found.entry(name.to_owned()).or_insert(faces);
        }
    }
    found
}

/// `#abc` or `#aabbcc`.
fn colour(text: &str) -> Option<Rgb> {
    let hex = text.trim().strip_prefix('#')?;
    let pairs: Vec<String> = match hex.len() {
        3 => hex.chars().map(|c| format!("{c}{c}")).collect(),
        6 => [0, 2, 4]
            .map(|at| hex.get(at..at + 2).unwrap_or_default().to_owned())
            .to_vec(),
        _ => return None,
    };
    let parts: Option<Vec<f64>> = pairs
        .iter()
        .map(|pair| Some(f64::from(u8::from_str_radix(pair, 16).ok()?) / 255.0))
        .collect();
    parts?.try_into().ok()
}

fn luminance(rgb: Rgb) -> f64 {
    let [r, g, b] = rgb.map(|c| {
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// WCAG's contrast ratio.
fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn contrast_is_measured_as_wcag_does() {
    let (black, white) = ([0.0; 3], [1.0; 3]);
    assert!((contrast(black, white) - 21.0).abs() < 1e-9);
    let grey = colour("#767676").unwrap();
    assert!((contrast(grey, white) - 4.54).abs() < 0.01);
}

#[test]
fn every_colour_can_be_told_from_its_ground_in_light_and_dark() {
    /// Colours, what they stand on, the least ratio: 4.5 for text, 3 for shapes and edges.
    const PAIRS: [(&str, &str, f64); 12] = [
        ("text text-2 text-3", "bg surface sunken raised", 4.5),
        ("link", "bg surface sunken", 4.5),
        ("on-ink", "ink ink-hover", 4.5),
        ("ok", "ok-bg surface", 4.5),
        ("warn", "warn-bg surface", 4.5),
        ("bad", "bad-bg surface raised", 4.5),
        ("info text", "info-bg", 4.5),
        ("text", "ok-bg warn-bg bad-bg hover", 4.5),
        ("prod", "prod-bg", 4.5),
        ("code code-2 code-key code-str", "code-bg", 4.5),
        ("ring", "bg surface sunken", 3.0),
        (
            "field brass c-allow c-restrict c-limit c-invalid c-off",
            "surface",
            3.0,
        ),
    ];
    let tokens = tokens();
    let more = [
        ("stage", "stage-bg", 4.5),
        ("dev text", "dev-bg", 4.5),
        ("lim", "lim-bg", 4.5),
    ];
    let mut off = Vec::new();
    for (fronts, grounds, least) in PAIRS.iter().chain(&more) {
        for front in fronts.split(' ') {
            for ground in grounds.split(' ') {
                let (front_faces, ground_faces) = (&tokens[front], &tokens[ground]);
                for (face, name) in ["light", "dark"].iter().enumerate() {
                    let ratio = contrast(front_faces[face], ground_faces[face]);
                    if ratio < *least {
                        off.push(format!("{front} on {ground}, {name}: {ratio:.2} < {least}"));
                    }
                }
            }
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
}

#[test]
fn every_icon_that_a_template_names_is_in_the_sprite() {
    let sprite = read("static/icons.svg");
    let drawn: BTreeSet<&str> = sprite
        .split("<symbol id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(drawn.len() > 20, "{drawn:?}");
    let mut missing = Vec::new();
    for template in below("templates", ".html") {
        for part in template.text.split("icon(\"").skip(1) {
            let name = part.split('"').next().unwrap_or_default();
            if !drawn.contains(name) {
                missing.push(format!("{}: {name}", template.path));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn what_a_page_loads_stays_light() {
    for (file, most) in [
        ("latchkey.css", 34),
        ("latchkey.js", 6),
        ("icons.svg", 4),
        ("fonts/inter-latin.woff2", 25),
        ("fonts/inter-latin-ext.woff2", 25),
    ] {
        let bytes = std::fs::metadata(root().join("static").join(file))
            .unwrap()
            .len();
        assert!(
            bytes <= most * 1024,
            "{file}: {bytes} bytes, at most {most} KiB"
        );
    }
}

#[test]
fn nothing_is_fetched_from_elsewhere() {
    for file in ["static/latchkey.css", "static/latchkey.js"] {
        let text = read(file);
        assert!(!text.contains("//fonts.") && !text.contains("http:") && !text.contains("https:"));
        assert!(!text.contains("url(\"/") && !text.contains("url(\"data:"));
    }
}
