//! Configuration: one documented default file, then a file, then the environment, then the
//! command line.
//!
//! [`Config::load`] turns [`Sources`] into typed settings, says where each came from, and lists
//! every fault at once. The program reads its environment in one place,
//! [`Sources::from_process`]; everything else here is pure.
//!
//! To add a setting: a key with its comment in `default.toml`, a field in `settings.rs`, a line
//! in `keys.rs`, and a bound in `check.rs` if it has one. A test proves that the first three
//! agree.

mod args;
mod auth;
mod check;
mod defaults;
mod error;
mod folders;
mod http;
mod humane;
mod keys;
mod layers;
mod limits;
mod load;
mod money;
mod read;
mod retention;
mod secret;
mod settings;
mod sources;
mod telemetry;
mod webhooks;

pub use args::{SettingsArgs, parse_duration};
pub use auth::{Anonymous, Auth};
pub use defaults::DEFAULT_FILE;
pub use error::{ConfigError, Fault};
pub use folders::{FONT_ENDINGS, FolderFault, files_of};
pub use http::Http;
pub use keys::{API_KEY_VARIABLE, KEYS, Key};
pub use limits::{Allowance, Limited, Limits, Rate};
pub use load::{Loaded, Note, NoteKind, Setting};
pub use money::{Price, Prices};
pub use retention::{ROUTE_GROUPS, Retention};
pub use secret::Secret;
pub use settings::{
    AzureCredential, AzureStorage, Backend, Background, Budget, Config, Cv, EditorChoice,
    EmitEvents, Log, LogFormat, Model, Provider, Render, Server, SingleCall, Storage, Worker,
};
pub use sources::{ConfigFile, Sources};
pub use telemetry::{Share, Telemetry, pairs};
pub use webhooks::Webhooks;
