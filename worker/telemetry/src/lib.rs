//! Logs, traces and metrics of the three programs; the shutdown signal; the exit code.
//!
//! - `start`: reads the settings once, and gives a [`Guard`] that sends what is left at the end.
//! - [`trace`]: spans that leave the process, and the `traceparent` that joins them.
//! - [`metrics`]: every metric in one table, and how to count.
//! - [`event`]: the stable names of log lines.
//! - `export`, `transport`, `prometheus`, `scrape`: how spans and metrics get out.
//!
//! Everything but log lines is off until the settings name a receiver, and then costs one branch at
//! each place that counts. When on, it never holds up a job: spans wait in a queue of 4,096 and are
//! dropped beyond that, metrics are sums, and all requests are sent by one thread of this crate.
//!
//! OTLP goes over HTTP with protobuf bodies. Application Insights is reached by the exporter crate
//! rather than through a collector: the connection string that Azure gives is then all that an
//! operator sets, and there is one program less to run, to scale and to watch. Whoever has a
//! collector sets the OTLP endpoint instead, or both.

pub mod event;
mod exit;
mod export;
mod logs;
pub mod metrics;
mod prometheus;
mod scrape;
mod shutdown;
mod start;
pub mod trace;
mod transport;

pub use exit::exit_code;
pub use metrics::{METRICS, Metric};
pub use shutdown::Shutdown;
pub use start::{Guard, StartError, start};
