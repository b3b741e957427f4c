//! Small line plots as SVG, for the report's page: nothing is loaded from elsewhere.

use std::fmt::Write;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 26.0;
/// Points of a line at most: more are gathered to the highest of each stretch.
const POINTS_MAX: usize = 760;
/// Lines across.
const GRID: usize = 4;

/// One line of a plot: its name, its colour, a value per second.
pub struct Curve<'a> {
    pub name: &'a str,
    pub colour: &'a str,
    pub values: Vec<Option<f64>>,
}

/// A plot over the seconds of the run; the first `warm_up` are shaded. `least` is the lower end of the
/// scale.
pub fn plot(title: &str, unit: &str, curves: &[Curve], warm_up: usize, least: f64) -> String {
    let count = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0);
    let most = curves.iter().flat_map(|curve| curve.values.iter().flatten()).copied().fold(least, f64::max);
    let top = least + nice(most - least);
    let x = |second: f64| LEFT + second / (count.max(2) - 1) as f64 * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - (value - least) / (top - least) * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<figure><figcaption>{} <small>{}</small></figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escape(title),
        escape(unit),
        escape(title)
    );
    // Writing to a String cannot fail.
    if warm_up > 0 && count > 1 {
        let end = x(warm_up.min(count - 1) as f64);
        let _ = write!(
            svg,
            "<rect class=\"warm\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            end - LEFT,
            HEIGHT - TOP - BOTTOM
        );
    }
    for line in 0..=GRID {
        let value = least + (top - least) * line as f64 / GRID as f64;
        let at = y(value);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0,
            short(value)
        );
    }
    for mark in 0..=GRID {
        let second = (count.max(2) - 1) * mark / GRID;
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{} s</text>",
            x(second as f64),
            HEIGHT - 8.0,
            second + 1
        );
    }
    for curve in curves {
        let stretch = curve.values.len().div_ceil(POINTS_MAX).max(1);
        let mut path = String::new();
        let mut pen_down = false;
        for (place, part) in curve.values.chunks(stretch).enumerate() {
            let Some(value) = part.iter().flatten().copied().reduce(f64::max) else {
                pen_down = false;
                continue;
            };
            let (x, y) = (x((place * stretch) as f64), y(value));
            // A point without neighbours is a dot: a line of no length with round ends.
            let _ = if pen_down { write!(path, "L{x:.1} {y:.1}") } else { write!(path, "M{x:.1} {y:.1}h0") };
            pen_down = true;
        }
        let _ = write!(svg, "<path d=\"{path}\" stroke=\"{}\"/>", escape(curve.colour));
    }
    svg += "</svg><p class=\"key\">";
    for curve in curves {
        let (name, colour) = (escape(curve.name), escape(curve.colour));
        let _ = write!(svg, "<span style=\"color:{colour}\">━ {name}</span> ");
    }
    svg + "</p></figure>\n"
}

/// The next of 1, 2, 4, 5, 8 × 10ⁿ, so that the lines across stand at round values.
fn nice(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let ten = 10_f64.powf(most.log10().floor());
    let step = [1.0, 2.0, 4.0, 5.0, 8.0, 10.0].into_iter().find(|step| step * ten >= most * 0.999_999);
    step.unwrap_or(10.0) * ten
}

fn short(value: f64) -> String {
    let text = match value.abs() {
        v if v >= 10_000.0 => return format!("{:.0}k", value / 1_000.0),
        v if v >= 100.0 || v == 0.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Text as it may stand in the page.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_values() {
        for (most, top) in [(0.0, 1.0), (0.7, 0.8), (1.0, 1.0), (3.1, 4.0), (42.0, 50.0), (900.0, 1_000.0)] {
            assert!((nice(most) - top).abs() < 1e-9, "{most}: {}", nice(most));
        }
        let texts = [0.0, 0.25, 1.5, 100.0, 25_000.0].map(short);
        assert_eq!(texts, ["0", "0.25", "1.5", "100", "25k"]);
    }

    #[test]
    fn a_gap_breaks_the_line_and_names_cannot_break_the_page() {
        let values = vec![Some(1.0), Some(2.0), None, Some(4.0)];
        let curves = [Curve { name: "<b>&", colour: "#000", values }];
        let svg = plot("t", "ms", &curves, 1, 0.0);
        assert_eq!(svg.matches("M").count(), 2, "{svg}");
        assert!(svg.contains("&lt;b&gt;&amp;") && !svg.contains("<b>"));
        assert!(plot("t", "ms", &[], 0, 0.0).ends_with("</figure>\n"), "nothing to draw is no fault");
    }

    #[test]
    fn a_long_run_is_drawn_with_few_points_that_keep_the_peaks() {
        let mut values = vec![Some(1.0); 86_400];
        values[50_001] = Some(9.0);
        let svg = plot("t", "ms", &[Curve { name: "n", colour: "#000", values }], 0, 0.0);
        assert!(svg.len() < 20_000, "{}", svg.len());
        let peak = HEIGHT - BOTTOM - 9.0 / 10.0 * (HEIGHT - TOP - BOTTOM);
        assert!(svg.contains(&format!(" {peak:.1}L")), "the peak is there");
    }
}
