use super::*;

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn server(method: &str) -> Server {
    let key = ServerKey { branch: "z9hG4bKx".into(), sent_by: "192.0.2.1".into(), method: method.into() };
    Server::new(key, ("c".into(), 5), "192.0.2.1:5060".parse().unwrap())
}

/// What came out: the status that was sent, or 0 for a missing ACK.
fn drain(server: &mut Server) -> Vec<u16> {
    std::iter::from_fn(|| server.poll_output())
        .map(|output| match output {
            ServerOutput::Send(bytes) => u16::from_be_bytes([bytes[0], bytes[1]]),
            ServerOutput::Unacknowledged => 0,
        })
        .collect()
}

fn run(server: &mut Server, end: u64) -> Vec<(u64, u16)> {
    let mut seen = Vec::new();
    while let Some(due) = server.poll_timeout().filter(|due| *due <= at(end)) {
        server.handle_timeout(due);
        seen.extend(drain(server).into_iter().map(|status| (due.as_nanos() / 1_000_000, status)));
    }
    seen
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Answer(u16),
    Again,
    Ack,
}
use Step::{Ack, Again, Answer};

/// Steps; what the last of them sends; what time sends afterwards; when all is over.
type Row = (&'static str, &'static [Step], &'static [u16], &'static [(u64, u16)], u64);

const REPEATS: [u64; 10] = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];

#[test]
fn the_tables_row_by_row() {
    let rows: &[Row] = &[
        ("INVITE", &[Again], &[], &[], 0),
        ("INVITE", &[Answer(180)], &[180], &[], 0),
        ("INVITE", &[Answer(180), Again], &[180], &[], 0),
        ("INVITE", &[Answer(180), Ack], &[], &[], 0),
        ("INVITE", &[Answer(486), Ack], &[], &[], 5_000),
        ("INVITE", &[Answer(486), Ack, Again], &[], &[], 5_000),
        ("INVITE", &[Answer(486), Ack, Ack], &[], &[], 5_000),
        ("INVITE", &[Answer(200), Ack], &[], &[], 32_000),
        ("INVITE", &[Answer(200), Again, Ack, Again], &[], &[], 32_000),
        ("BYE", &[Again], &[], &[], 0),
        ("BYE", &[Answer(100), Again], &[100], &[], 0),
        ("BYE", &[Answer(200)], &[200], &[], 32_000),
        ("BYE", &[Answer(200), Again], &[200], &[], 32_000),
        ("BYE", &[Answer(200), Answer(481)], &[], &[], 32_000),
    ];
    for (method, steps, sent, later, over) in rows {
        let mut server = server(method);
        let mut last = Vec::new();
        for step in *steps {
            match step {
                Answer(status) => server.respond(*status, status.to_be_bytes().to_vec(), at(0)),
                Again => server.handle_again(),
                Ack => {
                    server.handle_ack(at(0));
                }
            }
            last = drain(&mut server);
        }
        assert_eq!(last, *sent, "{method} {steps:?}");
        assert_eq!(server.poll_timeout(), (*over > 0).then_some(at(*over)), "{method} {steps:?}");
        assert_eq!(run(&mut server, 100_000), *later, "{method} {steps:?}");
        assert_eq!(server.is_over(), *over > 0, "{method} {steps:?}");
    }
}

#[test]
fn a_final_answer_to_an_invite_is_repeated_until_its_ack() {
    for status in [200, 486] {
        let mut server = server("INVITE");
        server.respond(status, status.to_be_bytes().to_vec(), at(0));
        drain(&mut server);
        let seen = run(&mut server, 3_600);
        assert_eq!(seen, [(500, status), (1_500, status), (3_500, status)]);
        assert!(server.handle_ack(at(3_600)) && !server.handle_ack(at(3_601)));
        assert_eq!(run(&mut server, 100_000), []);
    }
}

#[test]
fn without_an_ack_the_repetition_ends_after_32_s_and_a_2xx_is_reported() {
    for (status, report) in [(200, vec![(32_000, 0)]), (603, vec![])] {
        let mut server = server("INVITE");
        server.respond(status, status.to_be_bytes().to_vec(), at(0));
        drain(&mut server);
        let mut expected: Vec<(u64, u16)> = REPEATS.iter().map(|ms| (*ms, status)).collect();
        expected.extend(report);
        assert_eq!(run(&mut server, 100_000), expected);
        assert!(server.is_over());
    }
}
