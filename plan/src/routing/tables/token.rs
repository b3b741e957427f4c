//! `[[api_token]]` as it is written.

use super::super::diagnostic::{Spot, Text};
use super::super::people::Role;
use super::super::plan::SecretRef;
use super::super::read::Reader;
use super::Field;
use super::reading::unnamed;

/// `[[api_token]]`.
#[derive(Debug)]
pub struct TokenTable {
    /// The table.
    pub spot: Spot,
    /// `name`.
    pub name: Field<String>,
    /// `role`.
    pub role: Field<Role>,
    /// `seat`.
    pub seat: Field<String>,
    /// `secret`.
    pub secret: Field<SecretRef>,
}

impl TokenTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        let powerless = Text::new(
            "引擎不知道它能做什么，会一律拒绝",
            "the engine would not know what it may, and refuse it everything",
        );
        let open = Text::new(
            "没有口令可以核对，谁也用不了它",
            "there would be no token to compare with, and nobody could use it",
        );
        TokenTable {
            spot: reader.spot.clone(),
            name: reader.required("name", unnamed()),
            role: reader.required("role", powerless),
            seat: reader.optional("seat"),
            secret: reader.required("secret", open),
        }
    }
}
