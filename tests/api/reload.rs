//! Tokens are read again when the plan is.

use crate::client::get;
use crate::engine::{Engine, plan};
use crate::fixture::until;

#[test]
fn a_token_that_was_replaced_is_nobodys_once_the_plan_is_read_again() {
    let engine = Engine::start("api-reload", &plan(""));
    let file = engine.data.join("secrets/api-token");
    let old = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    let status = |token: &str| get(engine.http, "/v1/ledger", token).status;
    assert_eq!(status(&old), 200);
    std::fs::write(&file, "another\n").unwrap();
    assert_eq!(status(&old), 200, "not before");
    engine.process.reload().unwrap();
    until("the old one is nobody's", || status(&old) == 401);
    assert_eq!(status("another"), 200);
}
