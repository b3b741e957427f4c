//! `--csv`: a row per second.

use super::report::Second;

/// The columns, in order.
pub const COLUMNS: &str = "second,warm_up,attempted,answered,failed,calls,setup_p50_ms,setup_p99_ms,\
post_dial_p50_ms,post_dial_p99_ms,waiting,served,rtp_sent,rtp_received,rtp_lost,loss_percent,gap_p99_ms,gap_max_ms,mos,\
server_cpu_percent,server_memory_mib,tool_cpu_percent";

/// The whole file. What was not measured is left empty.
pub fn csv(seconds: &[Second]) -> String {
    let mut text = format!("{COLUMNS}\n");
    for row in seconds {
        let number = |value: Option<f64>| value.map(|value| format!("{value:.3}")).unwrap_or_default();
        let due = row.rtp_received + row.rtp_lost;
        let loss = (due > 0).then(|| row.rtp_lost as f64 / due as f64 * 100.0);
        let fields = [
            row.at_s.to_string(),
            u8::from(row.warm_up).to_string(),
            row.attempted.to_string(),
            row.answered.to_string(),
            row.failed.to_string(),
            row.calls.to_string(),
            number(row.setup_p50_ms),
            number(row.setup_p99_ms),
            number(row.post_dial_p50_ms),
            number(row.post_dial_p99_ms),
            row.waiting.to_string(),
            row.served.to_string(),
            row.rtp_sent.to_string(),
            row.rtp_received.to_string(),
            row.rtp_lost.to_string(),
            number(loss),
            number(row.gap_p99_ms),
            number(row.gap_max_ms),
            number(row.mos),
            number(row.server_cpu_percent),
            number(row.server_memory_mib),
            number(row.tool_cpu_percent),
        ];
        text += &fields.join(",");
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_every_column() {
        let rows =
            [Second::default(), Second { mos: Some(4.4), rtp_lost: 1, rtp_received: 3, ..Second::default() }];
        let text = csv(&rows);
        let columns: Vec<usize> = text.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(columns, [22, 22, 22]);
        assert!(text.contains(",25.000,") && text.contains(",4.400,"), "{text}");
    }
}
