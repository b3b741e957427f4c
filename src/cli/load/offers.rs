//! The server's own histogram of how long free seats waited for their INVITE, read off its `/metrics`.

/// Its name in all of hotline's metrics.
const SERIES: &str = "hotline_offer_delay_seconds_bucket{";

/// Buckets as Prometheus has them: up to so many seconds, how many in all. In order; the last has no end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offers(Vec<(f64, u64)>);

impl Offers {
    /// What the text has of them; empty where it has none.
    pub fn read(text: &str) -> Offers {
        let bucket = |line: &str| {
            let (labels, value) = line.strip_prefix(SERIES)?.split_once('}')?;
            let end = labels.split(',').find_map(|label| label.trim().strip_prefix("le=\""))?;
            let end = end.strip_suffix('"')?;
            let end = if end == "+Inf" { f64::INFINITY } else { end.parse().ok()? };
            Some((end, value.split_whitespace().next()?.parse::<f64>().ok()? as u64))
        };
        let mut buckets: Vec<(f64, u64)> = text.lines().filter_map(bucket).collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        Offers(buckets)
    }

    /// What came about since `earlier`.
    pub fn since(&self, earlier: &Offers) -> Offers {
        let before =
            |end: f64| earlier.0.iter().find(|(other, _)| *other == end).map_or(0, |(_, count)| *count);
        Offers(self.0.iter().map(|(end, count)| (*end, count.saturating_sub(before(*end)))).collect())
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.0.last().map_or(0, |(_, count)| *count)
    }

    /// Milliseconds, by even division of the bucket in which it falls; beyond the last end, that end.
    pub fn at_quantile_ms(&self, quantile: f64) -> Option<f64> {
        let rank = quantile * self.count() as f64;
        let (mut from, mut below) = (0.0, 0);
        for (end, count) in &self.0 {
            if *count > 0 && *count as f64 >= rank {
                if end.is_infinite() {
                    return Some(from * 1e3);
                }
                let part = (rank - below as f64) / (*count - below).max(1) as f64;
                return Some((from + (end - from) * part) * 1e3);
            }
            (from, below) = (*end, *count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE hotline_offer_delay_seconds histogram\n\
        hotline_offer_delay_seconds_sum 3.5\nhotline_offer_delay_seconds_count 110\n\
        hotline_offer_delay_seconds_bucket{le=\"0.01\"} 60\n\
        hotline_offer_delay_seconds_bucket{le=\"0.02\"} 109\n\
        hotline_offer_delay_seconds_bucket{le=\"+Inf\"} 110\n";

    #[test]
    fn quantiles_are_of_what_came_since() {
        let offers = Offers::read(TEXT);
        assert_eq!(offers.count(), 110);
        let before =
            Offers::read(&TEXT.replace("} 60", "} 10").replace("} 109", "} 10").replace("} 110", "} 10"));
        let since = offers.since(&before);
        assert_eq!(since.count(), 100);
        assert_eq!(since.at_quantile_ms(0.5), Some(10.0));
        let high = since.at_quantile_ms(0.99).unwrap();
        assert!((high - 20.0).abs() < 1e-9, "{high}");
        assert_eq!(since.at_quantile_ms(1.0), Some(20.0), "beyond the last end nobody knows");
        assert_eq!(Offers::read("").at_quantile_ms(0.5), None);
        assert_eq!(offers.since(&offers).at_quantile_ms(0.5), None);
    }
}
