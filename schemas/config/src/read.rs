//! Readers of the fields in `settings.rs`: serde on one side, the forms of `humane.rs` on the other.
//!
//! Every layer holds text, so that one form serves the file, the environment and the command line.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};

use crate::settings::{
    AzureCredential, Backend, Background, EditorChoice, EmitEvents, LogFormat, SingleCall,
};
use crate::{
    Allowance, Anonymous, Limited, Prices, Secret, Share, auth, http, humane, limits, money,
    retention, telemetry,
};

macro_rules! readers {
    ($($name:ident -> $type:ty = $parse:expr;)*) => {
        $(pub(crate) fn $name<'de, D: Deserializer<'de>>(from: D) -> Result<$type, D::Error> {
            parsed(from, $parse)
        })*
    };
}

readers! {
    account_name -> Option<String> = humane::account_name;
    address -> SocketAddr = humane::address;
    anonymous -> Anonymous = |text| humane::choice(text, &[
        (&["auto"], Anonymous::Auto),
        (&["on", "true", "yes", "1"], Anonymous::On),
        (&["off", "false", "no", "0"], Anonymous::Off),
    ]);
    api_key -> Option<Secret> = humane::api_key;
    application_insights -> Option<Secret> = telemetry::application_insights;
    attribute_list -> Option<String> = telemetry::attribute_list;
    base_url -> Option<String> = humane::base_url;
    connection_string -> Option<Secret> = humane::connection_string;
    duration -> Duration = humane::duration;
    header_list -> Option<Secret> = telemetry::header_list;
    job_limits -> BTreeMap<String, u32> = limits::job_limits;
    jwks_url -> Option<String> = auth::jwks_url;
    limited -> Limited = |text| humane::choice(text, &[
        (&["auto"], Limited::Auto),
        (&["on", "true", "yes", "1"], Limited::On),
        (&["off", "false", "no", "0"], Limited::Off),
    ]);
    log_filter -> String = humane::log_filter;
    origins -> Vec<String> = http::origins;
    optional_address -> Option<SocketAddr> = telemetry::optional_address;
    optional_number -> Option<NonZeroU32> = humane::optional_number;
    optional_path -> Option<PathBuf> =
        |text| humane::optional_text(text).map(|text| text.map(PathBuf::from));
    optional_rate -> Option<Allowance> = limits::optional_rate;
    optional_text -> Option<String> = humane::optional_text;
    optional_usd -> Option<u64> = money::optional_usd;
    path -> PathBuf = |text| humane::text(text).map(PathBuf::from);
    prices -> Prices = money::prices;
    rate -> Allowance = limits::rate;
    route_groups -> BTreeSet<&'static str> = retention::route_groups;
    share -> Share = telemetry::share;
    size -> u64 = humane::size;
    switch -> bool = humane::switch;
    tenant_budgets -> BTreeMap<String, u64> = money::tenant_budgets;
    text -> String = humane::text;
    token_secret -> Option<Secret> = auth::token_secret;
    time_of_day -> Duration = humane::time_of_day;
    webhook_secret -> Option<Secret> = humane::webhook_secret;

    azure_credential -> AzureCredential = |text| humane::choice(text, &[
        (&["auto"], AzureCredential::Auto),
        (&["connection_string"], AzureCredential::ConnectionString),
        (&["managed_identity"], AzureCredential::ManagedIdentity),
        (&["workload_identity"], AzureCredential::WorkloadIdentity),
        (&["developer_tools"], AzureCredential::DeveloperTools),
    ]);
    background -> Background = |text| humane::choice(text, &[
        (&["auto"], Background::Auto),
        (&["on", "true", "yes", "1"], Background::On),
        (&["off", "false", "no", "0"], Background::Off),
    ]);
    backend -> Backend = |text| humane::choice(text, &[
        (&["embedded"], Backend::Embedded),
        (&["azure"], Backend::Azure),
    ]);
    editor -> EditorChoice = |text| humane::choice(text, &[
        (&["auto"], EditorChoice::Auto),
        (&["openai"], EditorChoice::OpenAi),
        (&["offline"], EditorChoice::Offline),
    ]);
    emit_events -> EmitEvents = |text| humane::choice(text, &[
        (&["auto"], EmitEvents::Auto),
        (&["on", "true", "yes", "1"], EmitEvents::On),
        (&["off", "false", "no", "0"], EmitEvents::Off),
    ]);
    log_format -> LogFormat = |text| humane::choice(text, &[
        (&["text"], LogFormat::Text),
        (&["json"], LogFormat::Json),
    ]);
    // The former service had a switch here, and its deployments still set it.
    single_call -> SingleCall = |text| humane::choice(text, &[
        (&["hold", "1", "true", "yes", "on"], SingleCall::Hold),
        (&["retry_once", "0", "false", "no", "off"], SingleCall::RetryOnce),
    ]);
}

/// A whole number of any width.
pub(crate) fn number<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
{
    parsed(from, humane::number)
}

fn parsed<'de, D, T>(from: D, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    let text = String::deserialize(from)?;
    parse(text.trim()).map_err(D::Error::custom)
}
