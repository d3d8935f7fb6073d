//! `presswork config`: the effective configuration and where each value comes from.

use clap::Args;
use config::SettingsArgs;
use serde_json::json;

/// `presswork config`.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Prints it. Secrets are masked.
pub(crate) fn run(settings: SettingsArgs, args: &ConfigArgs) -> anyhow::Result<()> {
    let loaded = settings.load(Vec::new())?;
    if args.json {
        let all: Vec<_> = loaded.report.iter().map(|setting| {
            json!({"key": setting.key, "value": setting.value, "source": setting.source})
        }).collect();
        let notes: Vec<_> = loaded.notes.iter().map(ToString::to_string).collect();
        println!("{:#}", json!({"settings": all, "notes": notes}));
        return Ok(());
    }
    let key_width = loaded.report.iter().map(|s| s.key.len()).max().unwrap_or(0);
    let value_width = loaded
        .report
        .iter()
        .map(|s| s.value.chars().count())
        .max()
        .unwrap_or(0);
    let value_width = value_width.min(40);
    for setting in &loaded.report {
        let (key, value, source) = (&setting.key, &setting.value, &setting.source);
        println!("{key:key_width$}  {value:value_width$}  {source}");
    }
    if !loaded.notes.is_empty() {
        println!();
    }
    for note in &loaded.notes {
        println!("note: {note}");
    }
    Ok(())
}
