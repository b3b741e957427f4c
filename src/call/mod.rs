//! What happens on one call.
