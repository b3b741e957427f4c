//! Meeting rooms by prefix: each member hears all others of the room, and nobody else's.

use crate::engine::Engine;
use crate::scenarios::{BENCH, BENCH_PORTS, CLOCK};
use crate::tool::Tool;

#[test]
fn each_member_of_a_room_hears_the_others_and_no_other_room() {
    let engine = Engine::start_with("load-meeting", CLOCK, &["--config", BENCH, "--rtp-ports", BENCH_PORTS]);
    let words = "--scenario meeting --room-prefix 94 --per-room 3 --rate 6 --calls 6 --hold 4s --sample 100%";
    let ran = Tool::new("meeting", 9, words)
        .toward(engine.sip)
        .with("--fail-over", "failed=0,wrong=0,none=0,one_way=0,no_rtp=0")
        .run();
    assert_eq!(ran.calls(), [6, 6, 0], "{}", ran.printed);
    assert_eq!(ran.sound(), [6, 0, 0, 0], "{}", ran.printed);
    assert_eq!(ran.code, Some(0), "{}", ran.printed);
}
