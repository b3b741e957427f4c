//! What is counted: metrics and call records as folds over the switchboard's facts.
//!
//! Nothing here knows how a fact arises. [`CallRecord`] is one call's fold, [`Metrics`] the house's.

pub mod figures;
mod hand_on;
mod http;
mod kb;
pub mod kpi;
pub mod marks;
pub mod measured;
pub mod metrics;
mod notices;
pub mod parties;
mod process;
pub mod record;
pub mod served;
pub mod shifts;
mod sound;
mod third;
pub mod transfers;

pub use figures::Figures;
pub use metrics::Metrics;
pub use record::CallRecord;
