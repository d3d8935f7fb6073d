//! The whole system in one process beside a fake model, as most tests start it.

use openai::fake::{Script, Server as Fake};
use serde_json::Value;

use crate::api::Api;
use crate::backing::Backing;
use crate::process::{Server, with_model};

/// A running `presswork serve` with its model and its store.
#[derive(Debug)]
pub struct System {
    /// The program.
    pub server: Server,
    /// A client of it.
    pub api: Api,
    /// What it calls.
    pub model: Fake,
    /// Where it keeps its data.
    pub backing: Backing,
}

impl System {
    /// Starts one, whose model does as the script says.
    ///
    /// # Panics
    /// As [`fake`] and [`Server::start`].
    pub fn start(backing: Backing, script: Value, settings: &[(&str, &str)]) -> Self {
        let model = fake(script);
        let (server, api) = serve(&backing, &model, settings);
        Self {
            server,
            api,
            model,
            backing,
        }
    }
}

/// `presswork serve` on a store, calling a model.
///
/// # Panics
/// As [`Server::start`].
pub fn serve(backing: &Backing, model: &Fake, settings: &[(&str, &str)]) -> (Server, Api) {
    let mut command = backing.serve(settings);
    with_model(&mut command, &model.base_url());
    let server = Server::start(&mut command);
    let api = Api::new(&server.url);
    (server, api)
}

/// A model on a free port that does as the script says; `{}` is one that answers at once.
///
/// # Panics
/// If the script is no script, or outside of a Tokio runtime.
pub fn fake(json: Value) -> Fake {
    Fake::start(([127, 0, 0, 1], 0).into(), script(json)).expect("there is a free port")
}

/// A script of the fake model.
///
/// # Panics
/// If it is none.
pub fn script(json: Value) -> Script {
    serde_json::from_value(json).expect("the test's script is well-formed")
}
