//! What is counted: metrics and call records as folds over the switchboard's facts.
