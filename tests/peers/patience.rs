//! Rules that only time shows, side by side: one after the other they would take a minute and a half.

use std::thread::{Builder, scope};

use crate::{callers, extensions, reliable};

/// A thread has the name of its rule, so a panic says which one it was.
#[test]
fn what_only_time_shows_is_shown_in_its_time() {
    let rules: [(&str, fn()); 3] = [
        ("lost ACK", callers::a_call_whose_ack_is_lost_hears_200_for_32_s_and_then_bye),
        (
            "session timers",
            extensions::we_refresh_a_session_by_update_or_by_a_reinvite_that_survives_glare_and_end_one_that_lapses,
        ),
        ("early media", || {
            reliable::early_media_answers_reliably_and_the_200_says_nothing_twice();
            reliable::a_late_offer_is_made_reliably_repeated_and_answered_in_the_prack();
        }),
    ];
    scope(|all| {
        for (name, rule) in rules {
            Builder::new().name(name.to_owned()).spawn_scoped(all, rule).expect("a thread");
        }
    });
}
