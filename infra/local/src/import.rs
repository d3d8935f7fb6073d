//! `presswork import`: reads what [`crate::export`] wrote into a store that has no tenants yet.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use config::SettingsArgs;
use storage::Storage;
use storage::names::{Container, TENANTS_PARTITION, TableName};
use storage::port::{Properties, PutMode, Write};

use crate::export::{LAST_ROW, Line, VERSION};
use crate::export_place::Source;
use crate::store::StoreArgs;

/// Most rows of one transaction (the contract of the table port).
const MOST: usize = 100;

/// Most bytes of lines in one transaction: half of what the port takes.
const MOST_BYTES: usize = 2 << 20;

/// `presswork import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// A file that `presswork export` wrote
    #[arg(required_unless_present = "stored")]
    from: Option<PathBuf>,
    /// Read what `presswork export --stored` wrote: the name of an export, or `latest`
    #[arg(long, value_name = "NAME", conflicts_with = "from")]
    stored: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
}

/// Reads all of an export.
pub(crate) async fn load(settings: SettingsArgs, args: &ImportArgs) -> anyhow::Result<()> {
    // A wrong name must not leave a store behind.
    let file = args.from.as_deref().map(Source::file).transpose()?;
    let (_, jobs) = args.store.open_or_make(settings).await?;
    let storage = jobs.storage();
    let there = storage
        .table
        .query(TableName::Tenants, TENANTS_PARTITION, ""..LAST_ROW, 1, None)
        .await?;
    ensure!(
        there.value.entities.is_empty(),
        "the store is not empty: an import would mix two stores. Import into a new one"
    );
    let mut from = match (file, &args.stored) {
        (Some(file), _) => file,
        (None, Some(name)) => Source::stored(storage.blobs.clone(), name).await?,
        (None, None) => bail!("give a file, or --stored"),
    };
    let mut into = Loader {
        storage,
        rows: 0,
        blobs: 0,
        tenants: Vec::new(),
        table: TableName::Tenants,
        partition: String::new(),
        writes: Vec::new(),
        bytes: 0,
    };
    let name = from.name.clone();
    let (mut number, mut ended) = (0_u64, false);
    loop {
        let next = from.next().await.with_context(|| match number {
            0 => format!("{name} is no export"),
            _ => format!("{name}, line {}", number + 1),
        });
        let Some(text) = next? else { break };
        number += 1;
        let place = || format!("{name}, line {number}");
        ensure!(!ended, "{}: there is more after the last line", place());
        let line: Line = serde_json::from_str(&text)
            .with_context(|| format!("{}: not a line of an export", place()))?;
        match line {
            Line::Head {
                presswork_export: VERSION,
            } if number == 1 => {}
            Line::Head { presswork_export } if number == 1 => {
                bail!(
                    "{name} is an export of version {presswork_export}; this program knows {VERSION}"
                )
            }
            Line::Head { .. } => bail!("{}: a second first line", place()),
            _ if number == 1 => bail!("{name} is no export: its first line does not say so"),
            Line::End { rows, blobs } => {
                ensure!(
                    (into.rows, into.blobs) == (rows, blobs),
                    "{name} has {} rows and {} blobs, and says that there were {rows} and {blobs}",
                    into.rows,
                    into.blobs
                );
                ended = true;
            }
            line => into.put(line, text.len()).await.with_context(place)?,
        }
    }
    ensure!(ended, "{name} was cut off: its last line is missing");
    let (rows, blobs) = into.finish().await?;
    println!("{name}: {rows} rows and {blobs} blobs were read");
    println!("Now run `presswork doctor --after-restore`, before any worker.");
    Ok(())
}

/// The store that is filled.
struct Loader<'a> {
    storage: &'a Storage,
    rows: u64,
    blobs: u64,
    /// Written last: until then the store counts as empty, and a broken import can be repeated.
    tenants: Vec<(String, Properties)>,
    /// Rows of one partition that go in one transaction.
    table: TableName,
    partition: String,
    writes: Vec<Write>,
    bytes: usize,
}

impl Loader<'_> {
    /// `length` is that of the line.
    async fn put(&mut self, line: Line, length: usize) -> anyhow::Result<()> {
        match line {
            Line::Row {
                table,
                partition,
                row,
                properties,
            } => {
                let table = TableName::ALL.into_iter().find(|t| t.as_str() == table);
                let table = table.context("no such table")?;
                self.rows += 1;
                if (table, partition.as_str()) == (TableName::Tenants, TENANTS_PARTITION) {
                    self.tenants.push((row, properties));
                    return Ok(());
                }
                let other = (table, &partition) != (self.table, &self.partition);
                if other || self.writes.len() == MOST || self.bytes + length > MOST_BYTES {
                    self.flush().await?;
                }
                (self.table, self.partition) = (table, partition);
                self.bytes += length;
                self.writes.push(Write::Upsert(row, properties));
            }
            Line::Blob {
                container,
                path,
                content_type,
                metadata,
                base64,
            } => {
                let container = Container::from_name(&container).context("no such container")?;
                let data = STANDARD.decode(base64)?.into();
                self.blobs += 1;
                let (blobs, mode) = (&self.storage.blobs, PutMode::Overwrite);
                blobs
                    .put(container, &path, data, &content_type, &metadata, mode)
                    .await?;
            }
            Line::Head { .. } | Line::End { .. } => {}
        }
        Ok(())
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        self.bytes = 0;
        let writes = std::mem::take(&mut self.writes);
        if !writes.is_empty() {
            let table = &self.storage.table;
            table.write(self.table, &self.partition, writes).await?;
        }
        Ok(())
    }

    /// Writes what is left. How many rows and blobs there were.
    async fn finish(mut self) -> anyhow::Result<(u64, u64)> {
        self.flush().await?;
        for (row, properties) in std::mem::take(&mut self.tenants) {
            let write = vec![Write::Upsert(row, properties)];
            let table = &self.storage.table;
            table
                .write(TableName::Tenants, TENANTS_PARTITION, write)
                .await?;
        }
        Ok((self.rows, self.blobs))
    }
}
