//! A telephone of its own, on rsip, to call the house and test it from outside.
