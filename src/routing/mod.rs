//! What the operator wants: routing.toml read, checked, and asked.
