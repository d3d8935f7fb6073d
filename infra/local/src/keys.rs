//! `presswork keys`: API keys, made and taken back in the store itself, so that no lost key can lock
//! its operator out.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::{ArgGroup, Args, Subcommand};
use config::{Loaded, SettingsArgs};
use jiff::Timestamp;
use schemas::Tenant;
use serde_json::{Value, json};
use storage::ambient::System;
use storage::keys::{KeyId, KeyRow, KeyState, KeyStore, MadeKey, NewKey, Scope, Tier};
use storage::{Clock, Entropy};

use crate::store::StoreArgs;

/// Longest name of a key.
const LONGEST_NAME: usize = 100;

/// `presswork keys`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Makes a key and prints it: the only time it can be seen
    Create(CreateArgs),
    /// Lists keys: id, tenant, tier, state, name, scopes, when made, used and ending
    List(ListArgs),
    /// Makes a new key in place of one, or of all of a tenant; the old ones work a while longer
    Rotate(RotateArgs),
    /// Takes keys back; running servers refuse them within 4 seconds
    Revoke(RevokeArgs),
}

/// `presswork keys create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Whose requests it makes: 1 to 63 of a-z, 0-9 and -
    #[arg(long, value_name = "TENANT", value_parser = tenant)]
    tenant: Tenant,
    /// What you call it
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = name)]
    name: String,
    /// What it allows, separated by commas: jobs:read, jobs:write, sessions:read, sessions:write,
    /// webhooks:manage, admin, or all [default: all but admin]
    #[arg(long, alias = "scopes", value_name = "SCOPES", value_delimiter = ',')]
    scope: Vec<String>,
    /// Its limits: free, basic, pro or enterprise
    #[arg(long, value_name = "TIER", default_value = "pro")]
    tier: Tier,
    /// How long it works, such as 90d [default: until it is revoked]
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    expires: Option<Duration>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

/// `presswork keys list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// One tenant alone
    #[arg(long, value_name = "TENANT", value_parser = tenant)]
    tenant: Option<Tenant>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

/// `presswork keys rotate`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").args(["id", "tenant"]).required(true))]
pub(crate) struct RotateArgs {
    /// The key's id, the 12 characters after pw_
    id: Option<String>,
    /// All keys of this tenant
    #[arg(long, value_name = "TENANT", value_parser = tenant)]
    tenant: Option<Tenant>,
    /// How long the old key still works [default: auth.key_grace, 7d]
    #[arg(long, value_name = "DURATION", value_parser = config::parse_duration)]
    grace: Option<Duration>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

/// `presswork keys revoke`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").args(["ids", "tenant"]).required(true))]
pub(crate) struct RevokeArgs {
    /// Ids of keys, the 12 characters after pw_
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// All keys of this tenant
    #[arg(long, value_name = "TENANT", value_parser = tenant)]
    tenant: Option<Tenant>,
    #[command(flatten)]
    store: StoreArgs,
}

/// One command. Keys go to standard output alone, so that a script can take them from there.
pub(crate) async fn run(settings: SettingsArgs, command: KeysCommand) -> anyhow::Result<()> {
    match command {
        KeysCommand::Create(args) => create(settings, args).await,
        KeysCommand::List(args) => list(settings, args).await,
        KeysCommand::Rotate(args) => rotate(settings, args).await,
        KeysCommand::Revoke(args) => revoke(settings, args).await,
    }
}

async fn create(settings: SettingsArgs, args: CreateArgs) -> anyhow::Result<()> {
    let scopes = scopes(&args.scope)?;
    let (_, keys) = open(args.store.load(settings)?).await?;
    let new = NewKey {
        tenant: args.tenant,
        name: args.name,
        scopes,
        tier: args.tier,
        lives: args.expires,
    };
    let made = keys.create(new).await.context("the key is not stored")?;
    show(&[made], args.json);
    Ok(())
}

async fn list(settings: SettingsArgs, args: ListArgs) -> anyhow::Result<()> {
    let (_, keys) = open(args.store.find(settings)?).await?;
    let rows = keys.list(args.tenant.as_ref()).await?;
    let now = System::new().now();
    if args.json {
        let rows: Vec<Value> = rows.iter().map(|row| facts(row, now)).collect();
        println!("{:#}", Value::Array(rows));
        return Ok(());
    }
    for row in &rows {
        println!("{}", line(row, now));
    }
    eprintln!("{} keys", rows.len());
    Ok(())
}

async fn rotate(settings: SettingsArgs, args: RotateArgs) -> anyhow::Result<()> {
    let (default_grace, keys) = open(args.store.find(settings)?).await?;
    let grace = args.grace.unwrap_or(default_grace);
    let made = match (&args.tenant, &args.id) {
        (Some(tenant), _) => keys.rotate_all(tenant, grace).await?,
        (None, Some(id)) => {
            let made = keys.rotate(&key_id(id)?, grace).await?;
            made.into_iter().collect()
        }
        (None, None) => Vec::new(),
    };
    ensure!(
        !made.is_empty(),
        "nothing to rotate: no such key, or it does not work any more, or has been rotated already \
         (`presswork keys list`)"
    );
    show(&made, args.json);
    Ok(())
}

async fn revoke(settings: SettingsArgs, args: RevokeArgs) -> anyhow::Result<()> {
    let (_, keys) = open(args.store.find(settings)?).await?;
    let ids = match &args.tenant {
        Some(tenant) => {
            let rows = keys.list(Some(tenant)).await?;
            ensure!(
                !rows.is_empty(),
                "tenant {tenant} has no keys: `presswork keys list` shows whose there are"
            );
            rows.into_iter().map(|row| row.id).collect()
        }
        None => args
            .ids
            .iter()
            .map(|id| key_id(id))
            .collect::<Result<Vec<_>, _>>()?,
    };
    let mut unknown = Vec::new();
    for id in ids {
        if keys.read(&id).await?.is_none() {
            unknown.push(id.to_string());
        } else if keys.revoke(&id).await? {
            println!("revoked {id}");
        } else {
            println!("{id} did not work any more");
        }
    }
    if !unknown.is_empty() {
        bail!("no such key: {}", unknown.join(", "));
    }
    Ok(())
}

/// The keys of a store, and how long an old one works beside its new one.
async fn open(loaded: Loaded) -> anyhow::Result<(Duration, KeyStore)> {
    let ambient = Arc::new(System::new());
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (ambient.clone(), ambient);
    let storage = storage::open(&loaded.config.storage, &clock, &entropy).await?;
    let keys = KeyStore::new(storage.table, clock, entropy);
    Ok((loaded.config.auth.key_grace, keys))
}

fn show(made: &[MadeKey], json: bool) {
    let now = System::new().now();
    if json {
        let all = made.iter().map(|made| {
            let mut facts = facts(&made.row, now);
            facts["key"] = json!(made.text.expose());
            facts["replaces"] = json!(made.replaces);
            facts
        });
        println!("{:#}", Value::Array(all.collect()));
        return;
    }
    for made in made {
        let row = &made.row;
        let place = match &made.replaces {
            Some(old) => format!(" in place of {old}"),
            None => String::new(),
        };
        eprintln!(
            "key {}{place} of tenant {}, tier {}, {}. Keep it: it is not shown again.",
            row.id,
            row.tenant,
            row.tier,
            words(&row.scopes)
        );
        println!("{}", made.text.expose());
    }
}

fn line(row: &KeyRow, now: Timestamp) -> String {
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    format!(
        "{}  {}  {}  {}  {:?}  {}  made {}  used {}  ends {}",
        row.id,
        row.tenant,
        row.tier,
        state(row, now),
        row.name,
        words(&row.scopes),
        row.created_at,
        time(row.last_used_at),
        time(row.revoked_at.or(row.expires_at)),
    )
}

fn facts(row: &KeyRow, now: Timestamp) -> Value {
    json!({
        "id": row.id,
        "tenant": row.tenant,
        "name": row.name,
        "tier": row.tier,
        "scopes": row.scopes,
        "state": state(row, now),
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
        "replaced_by": row.replaced_by,
    })
}

fn state(row: &KeyRow, now: Timestamp) -> &'static str {
    match row.state(now) {
        KeyState::Active => "active",
        KeyState::Rotated => "rotated",
        KeyState::Expired => "expired",
        KeyState::Revoked => "revoked",
    }
}

fn words(scopes: &[Scope]) -> String {
    let names: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
    names.join(",")
}

/// The scopes of an argument; none named are all that concern no tenant as a whole.
fn scopes(named: &[String]) -> anyhow::Result<Vec<Scope>> {
    if named.is_empty() {
        let all = Scope::ALL.into_iter();
        return Ok(all.filter(|scope| *scope != Scope::Admin).collect());
    }
    if named == ["all"] {
        return Ok(Scope::ALL.to_vec());
    }
    let scopes = named.iter().map(|name| name.trim().parse());
    let mut scopes: Vec<Scope> = scopes.collect::<Result<_, _>>().context("--scope")?;
    scopes.sort_unstable();
    scopes.dedup();
    Ok(scopes)
}

fn key_id(text: &str) -> anyhow::Result<KeyId> {
    // Whoever pastes a whole key means its id.
    let id = storage::keys::id_of(text).map_or_else(|| text.parse(), Ok);
    id.context("the id of a key")
}

fn lifetime(text: &str) -> Result<Duration, String> {
    match config::parse_duration(text)? {
        Duration::ZERO => Err("a key that lives for no time opens nothing: at least 1s".to_owned()),
        lives => Ok(lives),
    }
}

fn tenant(text: &str) -> Result<Tenant, String> {
    Tenant::try_from(text.to_owned()).map_err(|e| e.to_string())
}

fn name(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) || text.chars().count() > LONGEST_NAME {
        return Err(format!("at most {LONGEST_NAME} characters on one line"));
    }
    Ok(text.to_owned())
}
