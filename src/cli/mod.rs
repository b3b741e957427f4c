//! The front door: the commands of `hotline`.
