//! Moves values between the rooms and holds no rules of its own.
