//! The operator's accent colour, and whether it can be told from the pages' surfaces.
//!
//! Must not know how pages are drawn; the surfaces' colours stand here and in the style sheet, and a test compares them.

use std::fmt;

/// The page's and the card's colour of each theme.
pub const SURFACES: [(&str, &str); 4] = [
    ("light page", "#faf9f7"),
    ("light card", "#ffffff"),
    ("dark page", "#131210"),
    ("dark card", "#1b1a17"),
];

/// The contrast that a coloured mark needs to be seen (WCAG 1.4.11).
const LEAST: f64 = 3.0;

/// A colour that stands out from the surfaces of both themes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent([u8; 3]);

impl Accent {
    /// Reads `#rrggbb`; a colour too near to a surface is refused with the ratio.
    pub fn parse(text: &str) -> Result<Self, String> {
        let colour = rgb(text).ok_or_else(|| "must be a colour such as #b4771a".to_owned())?;
        for (surface, hex) in SURFACES {
            let ratio = rgb(hex).map_or(1.0, |other| contrast(colour, other));
            if ratio < LEAST {
                return Err(format!(
                    "must have a contrast of at least 3.0:1 on every surface; on the {surface} ({hex}) it has {ratio:.2}:1"
                ));
            }
        }
        Ok(Self(colour))
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

fn rgb(text: &str) -> Option<[u8; 3]> {
    let hex = text.strip_prefix('#').filter(|h| h.len() == 6)?;
    let bytes = data_encoding::HEXLOWER_PERMISSIVE
        .decode(hex.as_bytes())
        .ok()?;
    bytes.try_into().ok()
}

fn luminance(colour: [u8; 3]) -> f64 {
    let linear = |channel: u8| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    let [r, g, b] = colour.map(linear);
    0.0722f64.mul_add(b, 0.2126f64.mul_add(r, 0.7152 * g))
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_as_in_wcag() {
        assert!((contrast([0, 0, 0], [255, 255, 255]) - 21.0).abs() < 1e-9);
        assert!((contrast([0x77; 3], [255; 3]) - 4.48).abs() < 0.01);
    }

    #[test]
    fn a_colour_too_near_to_a_surface_is_refused_with_its_ratio() {
        assert_eq!(Accent::parse("#B4771A").unwrap().to_string(), "#b4771a");
        assert!(
            Accent::parse("#e0b057")
                .unwrap_err()
                .contains("light page (#faf9f7) it has 1.90:1")
        );
        assert!(
            Accent::parse("#333333")
                .unwrap_err()
                .contains("dark page (#131210) it has 1.")
        );
        for text in ["b4771a", "#b4771", "#b4771ag", "red", ""] {
            assert!(
                Accent::parse(text).unwrap_err().contains("such as #b4771a"),
                "{text}"
            );
        }
    }
}
