//! Who may ask what: each role at each route, by a table of the test's own.

use std::collections::BTreeSet;

use hotline::io::http::rights::{ROUTES, Who};

use crate::client::{delete, get, post};
use crate::engine::{self, Engine};
use crate::fixture::{ROLES, Served, call, token};

/// `*`: anybody without a token. Roles by their first letters: Admin, Supervisor, Leader, Clerk, Expert, Observer,
/// Trainee. A body where one is wanted.
const TABLE: &str = r#"
GET  /healthz                       *
GET  /readyz                        *
GET  /metrics                       *
GET  /v1/openapi.json               *
GET  /v1/snapshot                   ASLCEOT
GET  /v1/seats                      ASLCEOT
GET  /v1/seats/{seat}               ASLCEOT
POST /v1/seats/{seat}/state         ASLCEOT {"state":"ready"}
POST /v1/seats/{seat}/dial          ASLCE   {"number":"13800000042"}
GET  /v1/queues                     ASLCEOT
POST /v1/queues/{queue}/surge       AS      {"on":true}
GET  /v1/calls                      ASLCEOT
GET  /v1/calls/{call}               ASLCEOT
POST /v1/calls/{call}/consult       ASLCE   {"to":"12315"}
POST /v1/calls/{call}/merge         ASLCE
POST /v1/calls/{call}/leave         ASLCE
POST /v1/calls/{call}/return        ASLCE
POST /v1/calls/{call}/hold          ASLCE
POST /v1/calls/{call}/resume        ASLCE
POST /v1/calls/{call}/requeue       ASLCE
POST /v1/calls/{call}/take-over     AS      {"seat":"1001"}
POST /v1/calls/{call}/end           AS
POST /v1/calls/{call}/watch         ASOT    {"seat":"1001","how":"listen"}
POST /v1/calls/{call}/disposition   ASLCE   {"field":"public_service"}
POST /v1/calls/{call}/flag          ASLCE   {"flag":"urgent"}
POST /v1/calls/{call}/kb            ASLCE   {"article":"rs-1","version":"1"}
GET  /v1/kb                         ASLCEOT
GET  /v1/kb/{id}                    ASLCEOT
POST /v1/kb/{id}/errors             ASLCE   {"version":"1","text":"t"}
GET  /v1/missed                     ASLCE
POST /v1/missed/{call}/call-back    ASLCE   {"seat":"1001"}
GET  /v1/notices                    AS
POST /v1/notices                    AS      {"prompt":"greeting","end":"{soon}","approver":"a","reason":"r"}
DELETE /v1/notices/{notice}         AS
POST /v1/tickets/{ticket}/state     AS      {"state":"done"}
GET  /v1/tickets/dead               AS
POST /v1/tickets/dead/{call}/{sequence}/resend AS
GET  /v1/facts                      ASLCEOT
GET  /v1/recordings/{call}          AS
GET  /v1/recordings/{call}/manifest AS
POST /v1/recordings/{call}/pause    ASLCE
POST /v1/recordings/{call}/resume   ASLCE
POST /v1/recordings/{call}/hold     AS
POST /v1/recordings/{call}/release  AS
GET  /v1/traces/{call}              AS
GET  /v1/ledger                     A
GET  /v1/plan                       AS
GET  /v1/plan/history               AS
POST /v1/plan/reload                A
POST /v1/plan/rollback              A       {"number":1}
"#;

struct Row<'a> {
    method: &'a str,
    path: &'a str,
    who: &'a str,
    body: &'a str,
}

fn rows() -> impl Iterator<Item = Row<'static>> {
    TABLE.lines().filter(|line| !line.is_empty()).map(|line| {
        let mut words = line.split_whitespace();
        let mut next = || words.next().unwrap_or_default();
        Row { method: next(), path: next(), who: next(), body: next() }
    })
}

#[test]
fn every_route_is_in_the_table_and_has_the_roles_that_it_says() {
    let named = |who: Who| match who {
        Who::Anybody => "*".into(),
        Who::Roles(_) => ROLES
            .iter()
            .filter(|(_, role)| who.includes(*role))
            .map(|(name, _)| name[..1].to_uppercase())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect::<String>(),
    };
    let sorted = |who: &str| who.chars().collect::<BTreeSet<_>>().into_iter().collect::<String>();
    let made: Vec<_> =
        ROUTES.iter().map(|route| (route.method.to_string(), route.path, named(route.who))).collect();
    let wanted: Vec<_> = rows().map(|row| (row.method.to_owned(), row.path, sorted(row.who))).collect();
    assert_eq!(made, wanted);
}

#[test]
fn each_role_passes_where_it_may_and_is_refused_where_it_may_not() {
    let served = Served::open("rights");
    for row in rows() {
        let path = row.path.replace("{seat}", "1001").replace("{queue}", "main");
        let path = path.replace("{call}", &call(1).to_string());
        let path = if path == "/v1/facts" { format!("{path}?limit=1") } else { path };
        let path =
            path.replace("{notice}", "1").replace("{ticket}", "21090100001").replace("{sequence}", "1");
        let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
        let body = row.body.replace("{soon}", &soon.to_string());
        let ask = |token: &str| match row.method {
            "GET" => get(served.at, &path, token),
            "DELETE" => delete(served.at, &path, token),
            _ => post(served.at, &path, token, &body),
        };
        let without = ask("");
        match row.who {
            "*" => assert_eq!(without.status, 200, "{path}"),
            _ => assert_eq!((without.status, without.code().as_str()), (401, "no_token"), "{path}"),
        }
        for (name, _) in ROLES {
            let answer = ask(&token(name));
            let may = row.who == "*" || row.who.contains(&name[..1].to_uppercase());
            match may {
                true => assert!(
                    answer.status == 200
                        || answer.status == 404 && answer.code() != "no_such_route"
                        || answer.code() == "missing_parameter",
                    "{name} {path}: {answer:?}"
                ),
                false => {
                    assert_eq!((answer.status, answer.code().as_str()), (403, "not_allowed"), "{name} {path}")
                }
            }
        }
    }
}

#[test]
fn a_plan_may_keep_the_figures_for_whoever_shows_a_token() {
    let engine = Engine::start("api-figures", &engine::plan("[admin]\nmetrics = \"token\""));
    let asked = |token: &str| get(engine.http, "/metrics", token);
    let refused = asked("");
    assert_eq!((refused.status, refused.code().as_str()), (401, "no_token"), "{refused:?}");
    assert_eq!(get(engine.http, "/healthz", "").status, 200, "whether it lives is no secret");
    let owner = std::fs::read_to_string(engine.data.join("secrets/api-token")).unwrap();
    let told = asked(owner.trim());
    assert!(told.status == 200 && told.body.contains("hotline_plan_number"), "{told:?}");
}
