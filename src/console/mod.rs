//! What people see of the house: snapshots.
