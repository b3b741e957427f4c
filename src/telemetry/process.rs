//! What the process takes of its machine, under the names that every Prometheus client gives them.
//!
//! A load tool on another host reads them; the numbers are `io`'s.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A registry of its own, for these names have no prefix.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) registry: Registry,
    cpu: Counter<f64, AtomicU64>,
    resident: Gauge,
}

impl Process {
    pub(super) fn new() -> Self {
        let mut registry = Registry::default();
        let (cpu, resident) = (Counter::default(), Gauge::default());
        registry.register("process_cpu_seconds", "User and system time of all threads", cpu.clone());
        registry.register("process_resident_memory_bytes", "Resident memory", resident.clone());
        Process { registry, cpu, resident }
    }

    /// User and system time since the start, and resident memory now.
    pub(super) fn set(&self, cpu: Duration, resident_bytes: u64) {
        self.cpu.inc_by((cpu.as_secs_f64() - self.cpu.get()).max(0.0));
        self.resident.set(i64::try_from(resident_bytes).unwrap_or(i64::MAX));
    }
}
