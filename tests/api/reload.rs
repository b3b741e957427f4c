//! Tokens of the data directory and of the plan: made at the first start, and read again when the plan is.

use crate::client::get;
use crate::engine::{Engine, plan};
use crate::fixture::until;

#[test]
fn a_token_of_the_plan_is_made_at_the_first_start_and_one_that_was_replaced_is_nobodys() {
    let desk = "[[api_token]]\nname = \"desk\"\nrole = \"clerk\"\nseat = \"1001\"\nsecret = { file = \"secrets/desk\" }";
    let engine = Engine::start("api-reload", &plan(desk));
    let secret = |name: &str| engine.data.join("secrets").join(name);
    let read = |name: &str| std::fs::read_to_string(secret(name)).unwrap().trim().to_owned();
    let status = |path: &str, token: &str| get(engine.http, path, token).status;
    let (owner, clerk) = (read("api-token"), read("desk"));
    assert_eq!((status("/v1/ledger", &owner), status("/v1/ledger", &clerk)), (200, 403));
    assert_eq!(status("/v1/seats", &clerk), 200);
    std::fs::write(secret("api-token"), "another\n").unwrap();
    assert_eq!(status("/v1/ledger", &owner), 200, "not before");
    engine.process.reload().unwrap();
    until("the old one is nobody's", || status("/v1/ledger", &owner) == 401);
    assert_eq!((status("/v1/ledger", "another"), status("/v1/seats", &clerk)), (200, 200));
}
