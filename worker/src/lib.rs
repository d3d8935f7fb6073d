//! The engine: pulls jobs, calls the model at most once, renders the PDF.
//!
//! How a job comes about:
//! - `worker`: one worker: what it runs beside each other, until it is asked to stop.
//! - `runner`, `leased`: the consume loop, and the lease of one message.
//! - `messages`: a message of the queue of jobs, from its body to its end.
//! - `attempt`: what to do next with one message, as a pure function.
//! - `handling`: does what `attempt` asks for.
//! - `editor`: who edits the text: a model, or nobody.
//! - `budget`: what calls may take, asked for before each.
//! - `reference`: what the provider is told of a job.
//! - `renderer`: the pool in which documents are set.
//! - `jobs`: job kinds, one file each.
//!
//! What happens beside it:
//! - `reconciler`: jobs without a message get one again.
//! - `notify`: ends are told of and delivered.
//! - `poison`: what fails again and again is set aside.
//! - `retention`: what is stored goes away again.
//! - `watch`: what monitoring is told.
//!
//! - `settings`: what of the configuration the engine needs.
//! - `program`: the `worker` program.
//! - `failpoints`: where tests make it die.

pub mod attempt;
mod budget;
pub mod editor;
pub mod failpoints;
mod handling;
pub mod jobs;
pub mod leased;
mod messages;
mod notify;
pub mod poison;
mod program;
pub mod reconciler;
pub mod reference;
mod renderer;
mod retention;
pub mod runner;
mod settings;
mod watch;
mod worker;

pub use budget::Limits;
pub use notify::{DeadLetter, NotifySettings};
pub use program::program;
pub use renderer::{
    Beside, Press, PressFault, RenderedJob, engine, render_job, render_job_with_sheets,
};
pub use settings::{ModelMissing, Settings, editor, model_client};
pub use watch::observed;
pub use worker::{Unfinished, Worker};
