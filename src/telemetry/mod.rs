//! What is counted: metrics and call records as folds over the switchboard's facts.
//!
//! Nothing here knows how a fact arises. [`CallRecord`] is one call's fold, [`Metrics`] the house's.

pub mod figures;
mod http;
pub mod measured;
pub mod metrics;
mod process;
pub mod record;
mod sound;

pub use figures::Figures;
pub use metrics::Metrics;
pub use record::CallRecord;
