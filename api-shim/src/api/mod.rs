//! The `/api` routes and tools: the contract that older clients speak, as a thin layer over
//! sessions and jobs.
//!
//! A route is a tool at a path of its own: [`call`] does what both ask for, and gives a [`Reply`].
//! What makes a PDF submits a job and waits for it (`generate`).

mod about;
mod answer;
mod checks;
mod conversation;
pub(crate) mod document;
pub(crate) mod generate;
mod input;
mod make;
mod sessions;
mod wait;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use futures::future::BoxFuture;
use http::Method;
use schemas::Tenant;
use schemas::session::tools::Tool;
use serde_json::{Map, Value, json};

pub(crate) use answer::etag;
use answer::{ApiError, Reply};
use input::read;

use crate::app::App;
use crate::caller::{Caller, Scope};
use crate::headers::{if_match, traceparent};
use crate::identity::lacks;
use crate::operation::{Access, Group, Operation, Route};

/// The routes of the contract; `health` stands with the other probes.
pub(crate) fn routes() -> Vec<Route> {
    use Scope::{JobsWrite, SessionsRead, SessionsWrite};
    let (get, post) = (Method::GET, Method::POST);
    vec![
        tool(
            Tool::ExtractAndStoreCv,
            "/api/extract-and-store-cv",
            SessionsWrite,
        ),
        tool(Tool::GetCvSession, "/api/get-cv-session", SessionsRead),
        Route::new(
            operation(
                get.clone(),
                "/api/get-cv-session",
                "getCvSession",
                Access::Needs(SessionsRead),
            ),
            get_session,
        ),
        tool(Tool::UpdateCvField, "/api/update-cv-field", SessionsWrite),
        tool(
            Tool::GenerateCvFromSession,
            "/api/generate-cv-from-session",
            JobsWrite,
        ),
        tool(
            Tool::ProcessCvOrchestrated,
            "/api/process-cv-orchestrated",
            JobsWrite,
        ),
        tool(
            Tool::CleanupExpiredSessions,
            "/api/cleanup-expired-sessions",
            SessionsWrite,
        ),
        tool(Tool::GenerateCvAction, "/api/generate-cv-action", JobsWrite),
        Route::new(
            operation(
                post.clone(),
                "/api/generate-cv",
                "generateCv",
                Access::Needs(JobsWrite),
            ),
            generate_cv,
        ),
        tool(Tool::ValidateCv, "/api/validate-cv", JobsWrite),
        tool(Tool::PreviewHtml, "/api/preview-html", JobsWrite),
        tool(Tool::ExtractPhoto, "/api/extract-photo", SessionsWrite),
        tool(
            Tool::GenerateContextPackV2,
            "/api/generate-context-pack",
            SessionsRead,
        ),
        Route::new(
            operation(
                post,
                "/api/cv-tool-call-handler",
                "callTool",
                Access::Needs(JobsWrite),
            ),
            handler,
        ),
        Route::new(
            operation(get.clone(), "/api/tools.json", "listTools", Access::Open),
            about::tools,
        ),
        Route::new(
            operation(
                get,
                "/api/instructions.md",
                "readInstructions",
                Access::Open,
            ),
            about::instructions,
        ),
    ]
}

fn operation(method: Method, path: &'static str, id: &'static str, access: Access) -> Operation {
    Operation::new(method, path, id, Group::Contract, access)
}

/// Whose request it is, and what its headers say.
pub(crate) struct Context {
    pub(crate) app: App,
    pub(crate) tenant: Tenant,
    /// The versions that `If-Match` names; `None` where any will do.
    pub(crate) if_match: Option<Vec<u64>>,
    pub(crate) traceparent: Option<String>,
}

/// How a tool was reached; a few answer differently by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// At a path of its own.
    Route,
    /// At a path of its own that answers with the PDF itself.
    PdfRoute,
    /// Through `cv-tool-call-handler`.
    Handler,
}

type Answer = Result<Response, ApiError>;

fn tool(tool: Tool, path: &'static str, scope: Scope) -> Route {
    let handler = move |State(app): State<App>, caller: Caller, request: Request| async move {
        let (context, input) = input::take(app, caller, request).await?;
        let reply = call(&context, tool, input, Surface::Route).await?;
        Answer::Ok(reply.into_response())
    };
    let operation = operation(Method::POST, path, tool.name(), Access::Needs(scope));
    Route::new(operation, handler)
}

async fn generate_cv(State(app): State<App>, caller: Caller, request: Request) -> Answer {
    let (context, input) = input::take(app, caller, request).await?;
    let reply = call(&context, Tool::GenerateCvAction, input, Surface::PdfRoute).await?;
    Ok(reply.into_response())
}

/// `GET /api/get-cv-session?session_id=...`.
async fn get_session(State(app): State<App>, caller: Caller, request: Request) -> Answer {
    let query = request.uri().query().unwrap_or_default();
    // A session id needs no escapes, so the plain text is the value.
    let id = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("session_id="));
    let mut input = Map::new();
    input.insert("session_id".to_owned(), json!(id.unwrap_or_default()));
    let context = Context::new(app, caller, &request);
    let reply = call(&context, Tool::GetCvSession, input, Surface::Route).await?;
    Ok(reply.into_response())
}

/// `POST /api/cv-tool-call-handler`: a tool by its name.
async fn handler(State(app): State<App>, caller: Caller, request: Request) -> Answer {
    let scopes = caller.scopes.clone();
    let (context, body) = input::take(app, caller, request).await?;
    let name = match body.get("tool_name") {
        Some(Value::String(name)) if !name.trim().is_empty() => name.trim().to_owned(),
        _ => return Err(ApiError::bad("tool_name is required")),
    };
    let Some(tool) = Tool::from_name(&name) else {
        let known: Vec<_> = Tool::ALL.iter().map(|tool| tool.name()).collect();
        let name: String = name.chars().take(60).collect();
        let body = json!({ "error": "unknown tool", "tool_name": name, "known_tools": known });
        return Err(ApiError::new(400, body));
    };
    // By its name a tool is not to be had for less than by its path.
    let scope = scope_of(tool);
    if !scopes.contains(&scope) {
        return Err(lacks(scope).into());
    }
    let mut params = match body.get("params") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(params)) => params.clone(),
        Some(_) => return Err(ApiError::bad("params must be an object")),
    };
    if let Some(id @ Value::String(_)) = body.get("session_id") {
        params.insert("session_id".to_owned(), id.clone());
    }
    let session = params.get("session_id").cloned().unwrap_or_default();
    let mut reply = call(&context, tool, params, Surface::Handler).await?;
    if let Some(body) = reply.object() {
        body.entry("success").or_insert(json!(true));
        body.entry("tool_name").or_insert(json!(tool.name()));
        body.entry("session_id").or_insert(session);
    }
    Ok(reply.into_response())
}

/// What a caller of a tool needs beside the scope of the handler.
fn scope_of(tool: Tool) -> Scope {
    match tool {
        Tool::ExtractAndStoreCv
        | Tool::UpdateCvField
        | Tool::CleanupExpiredSessions
        | Tool::ExtractPhoto => Scope::SessionsWrite,
        Tool::GetCvSession
        | Tool::CvSessionSearch
        | Tool::GenerateContextPackV2
        | Tool::ExportSessionDebug => Scope::SessionsRead,
        Tool::GetPdfByRef => Scope::JobsRead,
        Tool::ValidateCv
        | Tool::PreviewHtml
        | Tool::GenerateCvFromSession
        | Tool::GenerateCvAction
        | Tool::ProcessCvOrchestrated => Scope::JobsWrite,
    }
}

/// Does what a tool does. Boxed: the state of the longest one would weigh on all.
fn call(
    context: &Context,
    tool: Tool,
    input: Map<String, Value>,
    surface: Surface,
) -> BoxFuture<'_, Result<Reply, ApiError>> {
    Box::pin(dispatch(context, tool, input, surface))
}

async fn dispatch(
    context: &Context,
    tool: Tool,
    input: Map<String, Value>,
    surface: Surface,
) -> Result<Reply, ApiError> {
    match tool {
        Tool::ExtractAndStoreCv => sessions::extract(context, read(input)?).await,
        Tool::GetCvSession => sessions::get(context, read(input)?).await,
        Tool::UpdateCvField => sessions::update(context, read(input)?).await,
        Tool::CleanupExpiredSessions => sessions::cleanup(context).await,
        Tool::CvSessionSearch => sessions::find(context, read(input)?).await,
        Tool::GenerateContextPackV2 => sessions::context_pack(context, read(input)?).await,
        Tool::ExportSessionDebug => sessions::debug(context, read(input)?).await,
        Tool::ValidateCv => checks::validate(context, read(input)?, surface).await,
        Tool::PreviewHtml => checks::preview(context, read(input)?).await,
        Tool::ExtractPhoto => checks::photo(context, read(input)?).await,
        Tool::GenerateCvFromSession => make::from_session(context, read(input)?, surface).await,
        Tool::GenerateCvAction => make::of_whole_cv(context, read(input)?, surface).await,
        Tool::GetPdfByRef => make::by_ref(context, read(input)?).await,
        Tool::ProcessCvOrchestrated => conversation::turn(context, read(input)?, surface).await,
    }
}

impl Context {
    fn new(app: App, caller: Caller, request: &Request) -> Self {
        let headers = request.headers();
        Self {
            app,
            tenant: caller.tenant,
            if_match: if_match(headers),
            traceparent: traceparent(headers),
        }
    }
}
