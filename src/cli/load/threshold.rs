//! `--fail-over`: bounds on the figures that decide the exit code.

use super::report::{Report, ServerOffer, Spread};

/// One bound: `setup_p99=30ms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// As the user wrote it.
    pub text: String,
    name: String,
    /// In the figure's own unit.
    value: f64,
}

/// A figure that can be bounded.
struct Figure {
    name: &'static str,
    unit: Unit,
    /// Less is worse: the bound is a floor.
    floor: bool,
    read: fn(&Report) -> Option<f64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Count,
    /// Milliseconds.
    Time,
    /// 0 to 1.
    Share,
    /// A plain number.
    Number,
    /// Percent of a core.
    Percent,
    /// MiB.
    Memory,
}

const fn over(name: &'static str, unit: Unit, read: fn(&Report) -> Option<f64>) -> Figure {
    Figure { name, unit, floor: false, read }
}

const fn under(name: &'static str, unit: Unit, read: fn(&Report) -> Option<f64>) -> Figure {
    Figure { name, unit, floor: true, read }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Of two measures of one thing, the worse.
fn worse(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.into_iter().chain(other).reduce(f64::max)
}

/// Offers as seen from outside and by the server itself: the worse of both.
fn offers(
    report: &Report,
    outside: fn(&Spread) -> Option<f64>,
    inside: fn(&ServerOffer) -> Option<f64>,
) -> Option<f64> {
    let queue = report.queue.as_ref()?;
    worse(outside(&queue.offer_ms), queue.server_offer.as_ref().and_then(inside))
}

const FIGURES: &[Figure] = &[
    over("failed", Unit::Count, |it| Some(it.calls.failed as f64)),
    over("failed_share", Unit::Share, |it| share(it.calls.failed, it.calls.attempted)),
    over("cut_off", Unit::Count, |it| Some(it.calls.cut_off as f64)),
    over("not_started", Unit::Count, |it| Some(it.calls.not_started as f64)),
    over("unpaired", Unit::Count, |it| Some(it.calls.unpaired as f64)),
    under("attempted", Unit::Count, |it| Some(it.calls.attempted as f64)),
    under("answered", Unit::Count, |it| Some(it.calls.answered as f64)),
    over("ringing_p50", Unit::Time, |it| it.latency_ms.ringing.p50),
    over("ringing_p99", Unit::Time, |it| it.latency_ms.ringing.p99),
    over("ringing_max", Unit::Time, |it| it.latency_ms.ringing.max),
    over("setup_p50", Unit::Time, |it| it.latency_ms.setup.p50),
    over("setup_p90", Unit::Time, |it| it.latency_ms.setup.p90),
    over("setup_p99", Unit::Time, |it| it.latency_ms.setup.p99),
    over("setup_p999", Unit::Time, |it| it.latency_ms.setup.p999),
    over("setup_max", Unit::Time, |it| it.latency_ms.setup.max),
    over("post_dial_p50", Unit::Time, |it| it.latency_ms.post_dial.p50),
    over("post_dial_p99", Unit::Time, |it| it.latency_ms.post_dial.p99),
    over("bye_p99", Unit::Time, |it| it.latency_ms.bye.p99),
    over("first_rtp_p99", Unit::Time, |it| it.latency_ms.first_rtp.p99),
    over("gap_p99", Unit::Time, |it| it.rtp.gap_ms.p99),
    over("gap_p999", Unit::Time, |it| it.rtp.gap_ms.p999),
    over("gap_max", Unit::Time, |it| it.rtp.gap_ms.max),
    over("jitter_p50", Unit::Time, |it| it.rtp.jitter_ms.p50),
    over("jitter_p99", Unit::Time, |it| it.rtp.jitter_ms.p99),
    over("loss", Unit::Share, |it| it.rtp.loss_share),
    over("late", Unit::Share, |it| share(it.rtp.late, it.rtp.expected)),
    over("out_of_order", Unit::Count, |it| Some(it.rtp.out_of_order as f64)),
    over("duplicates", Unit::Count, |it| Some(it.rtp.duplicates as f64)),
    over("one_way", Unit::Count, |it| Some(it.rtp.one_way as f64)),
    over("no_rtp", Unit::Count, |it| Some(it.rtp.no_rtp as f64)),
    under("mos_mean", Unit::Number, |it| it.rtp.mos.mean),
    under("mos_min", Unit::Number, |it| it.rtp.mos.min),
    over("wrong", Unit::Count, |it| Some(it.sound.wrong as f64)),
    over("none", Unit::Count, |it| Some(it.sound.none as f64)),
    over("unjudged", Unit::Count, |it| Some(it.sound.unjudged as f64)),
    under("right", Unit::Count, |it| Some(it.sound.right as f64)),
    under("served", Unit::Count, |it| Some(it.queue.as_ref()?.served as f64)),
    under("served_share", Unit::Share, |it| it.queue.as_ref()?.served_share),
    over("abandoned", Unit::Count, |it| Some(it.queue.as_ref()?.abandoned as f64)),
    over("turned_away", Unit::Count, |it| Some(it.queue.as_ref()?.turned_away as f64)),
    over("overtaken", Unit::Count, |it| Some(it.queue.as_ref()?.overtaken as f64)),
    over("not_released", Unit::Count, |it| Some(it.queue.as_ref()?.not_released as f64)),
    over("wait_p50", Unit::Time, |it| it.queue.as_ref()?.wait_ms.p50),
    over("wait_p90", Unit::Time, |it| it.queue.as_ref()?.wait_ms.p90),
    over("wait_p99", Unit::Time, |it| it.queue.as_ref()?.wait_ms.p99),
    over("wait_max", Unit::Time, |it| it.queue.as_ref()?.wait_ms.max),
    over("offer_p50", Unit::Time, |it| offers(it, |outside| outside.p50, |inside| inside.p50_ms)),
    over("offer_p99", Unit::Time, |it| offers(it, |outside| outside.p99, |inside| inside.p99_ms)),
    under("merged", Unit::Count, |it| Some(it.three_way.as_ref()?.merged as f64)),
    over("steps_failed", Unit::Count, |it| Some(it.three_way.as_ref()?.failed as f64)),
    over("consult_p50", Unit::Time, |it| it.three_way.as_ref()?.consult_ms.p50),
    over("consult_p99", Unit::Time, |it| it.three_way.as_ref()?.consult_ms.p99),
    over("server_cpu", Unit::Percent, |it| it.server.as_ref()?.cpu_percent_mean),
    over("server_cpu_max", Unit::Percent, |it| it.server.as_ref()?.cpu_percent_max),
    over("server_memory", Unit::Memory, |it| it.server.as_ref()?.memory_mib_max),
    over("tool_cpu_max", Unit::Percent, |it| it.tool.cpu_percent_max),
];

/// Reads the whole list: `setup_p99=30ms,loss=0.1%,failed=0`.
pub fn parse(text: &str) -> Result<Vec<Threshold>, String> {
    text.split(',').map(str::trim).filter(|rule| !rule.is_empty()).map(rule).collect()
}

fn rule(text: &str) -> Result<Threshold, String> {
    let form = || format!("{text:?}: 写作 名称=值 / write NAME=VALUE");
    let (name, value) = text.split_once('=').ok_or_else(form)?;
    let (name, value) = (name.trim(), value.trim());
    let Some(figure) = FIGURES.iter().find(|figure| figure.name == name) else {
        let names: Vec<&str> = FIGURES.iter().map(|figure| figure.name).collect();
        return Err(format!("没有 {name:?} 这一项 / no figure {name:?}: {}", names.join(" ")));
    };
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|it| it.is_finite() && *it >= 0.0);
    let scaled = |units: &[(&str, f64)]| {
        units.iter().find_map(|(unit, scale)| Some(number(value.strip_suffix(unit)?)? * scale))
    };
    let value = match figure.unit {
        Unit::Count | Unit::Number => number(value),
        Unit::Time => scaled(&[("us", 0.001), ("ms", 1.0), ("s", 1_000.0)]),
        Unit::Share => scaled(&[("%", 0.01)]).or_else(|| number(value)),
        Unit::Percent => scaled(&[("%", 1.0)]).or_else(|| number(value)),
        Unit::Memory => scaled(&[("KiB", 1.0 / 1024.0), ("MiB", 1.0), ("GiB", 1_024.0)]),
    };
    let example = match figure.unit {
        Unit::Count => "0",
        Unit::Number => "4.2",
        Unit::Time => "30ms",
        Unit::Share => "0.1%",
        Unit::Percent => "80%",
        Unit::Memory => "200MiB",
    };
    let value = value.ok_or_else(|| format!("{text:?}: 值如 / a value like {example}"))?;
    Ok(Threshold { text: text.to_owned(), name: name.to_owned(), value })
}

impl Threshold {
    /// The figure, and whether it keeps the bound. A figure that is not there keeps none.
    pub fn judge(&self, report: &Report) -> (Option<f64>, bool) {
        let Some(figure) = FIGURES.iter().find(|figure| figure.name == self.name) else {
            return (None, false); // Not met: `parse` knows the same names.
        };
        let found = (figure.read)(report);
        let kept = found.is_some_and(|it| if figure.floor { it >= self.value } else { it <= self.value });
        (found, kept)
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Queue;
    use super::*;

    #[test]
    fn bounds_are_read_in_the_units_of_their_figures() {
        let value = |text: &str| parse(text).map(|rules| rules[0].value);
        for (text, expected) in [
            ("setup_p99=30ms", 30.0),
            ("setup_p99 = 1.5s", 1_500.0),
            ("gap_max=250us", 0.25),
            ("failed=0", 0.0),
            ("mos_min=4.1", 4.1),
            ("server_memory=1GiB", 1_024.0),
            ("server_cpu=80%", 80.0),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
        assert!((value("loss=0.1%").unwrap() - 0.001).abs() < 1e-12);
        assert_eq!(parse(" failed=0, ,none=1 ").unwrap().len(), 2);
        for (text, hint) in [
            ("setup=1ms", "setup_p99"),
            ("setup_p99=30", "30ms"),
            ("failed", "NAME=VALUE"),
            ("loss=-1%", "0.1%"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn ceilings_and_floors_are_kept_or_not_and_a_missing_figure_keeps_none() {
        let mut report = Report::default();
        (report.calls.attempted, report.calls.failed, report.calls.answered) = (100, 2, 98);
        report.latency_ms.setup.p99 = Some(20.0);
        report.rtp.mos.min = Some(4.0);
        let kept = |text: &str| parse(text).unwrap()[0].judge(&report).1;
        assert!(kept("failed=2") && !kept("failed=1"));
        assert!(kept("failed_share=2%") && !kept("failed_share=1.9%"));
        assert!(kept("setup_p99=20ms") && !kept("setup_p99=19ms"));
        assert!(kept("mos_min=4") && !kept("mos_min=4.1"));
        assert!(kept("answered=98") && !kept("answered=99"));
        assert!(!kept("loss=100%"), "no packets, no figure");
        assert!(!kept("server_cpu=100%"), "nobody watched the server");
        assert!(!kept("offer_p99=1s") && !kept("steps_failed=9"), "nobody waited, and nobody was asked in");

        let offer_ms = Spread { p99: Some(30.0), ..Spread::default() };
        report.queue = Some(Queue { offer_ms, served_share: Some(0.9), ..Queue::default() });
        let kept = |report: &Report, text: &str| parse(text).unwrap()[0].judge(report).1;
        assert!(kept(&report, "offer_p99=30ms") && !kept(&report, "offer_p99=29ms"));
        assert!(kept(&report, "served_share=90%") && !kept(&report, "served_share=91%"));
        let inside = ServerOffer { count: 9, p50_ms: None, p99_ms: Some(50.0) };
        report.queue.as_mut().unwrap().server_offer = Some(inside);
        assert!(!kept(&report, "offer_p99=30ms") && kept(&report, "offer_p99=50ms"), "the worse of both");
        assert!(!kept(&report, "offer_p50=1s"));
    }
}
