//! Brakes that a new plan moves: what was wrong before it counts on.

use crate::client::get;
use crate::house::House;
use crate::secrets::registers;

/// Narrower than where nothing is said.
const NARROW: (&str, &str) = (
    "\n[reload]",
    "\n[security]\nguesses = 3\nguess_span = \"10min\"\nwrong_tokens = 3\nwrong_token_every = \"1min\"\n\n[reload]",
);
const BY_HAND: (&str, &str) = ("watch = true", "watch = false");

#[test]
fn another_plan_moves_the_brakes_on_passwords_and_tokens_and_forgets_no_guess() {
    let house = House::open_with("security", &[BY_HAND]);
    let file = house.engine.data.join("secrets/seat-1001");
    let password = std::fs::read_to_string(&file).unwrap();
    let token = || get(house.engine.http, "/v1/seats", "no-such-token").status;
    for _ in 0..4 {
        assert_eq!((registers(&house, "wrong"), token()), (401, 401));
    }
    let reload = |edits: &[(&str, &str)]| {
        house.write(edits);
        let said = house.post("/v1/plan/reload", "").json();
        assert_eq!(said["outcome"], "taken", "{said}");
        said["changes"].to_string()
    };
    let told = reload(&[NARROW]);
    assert!(told.contains("安全限制") && told.contains("10 → 3"), "{told}");
    assert_eq!((registers(&house, password.trim()), token()), (503, 429), "four are more than three");
    house.until("the log", |house| house.log().contains("too many wrong passwords for seat 1001"));

    reload(&[]);
    assert_eq!((registers(&house, password.trim()), token()), (200, 401), "and fewer than ten");
}
