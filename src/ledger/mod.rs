//! The chain of who looked at what: append-only, each entry bound to the one before by its hash.
