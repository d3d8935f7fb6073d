//! `presswork export` and `presswork import`: every row and blob as JSON lines, between any two
//! stores.
//!
//! The first line says what it is, the last how much there was, so that a file that was cut off is
//! noticed. Rows come before blobs; under load an export is no single moment, so that for one the
//! programs are stopped. Messages are not taken along: the reconciler makes them anew.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write};
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use config::SettingsArgs;
use serde::{Deserialize, Serialize};
use storage::Storage;
use storage::jobs::JobStore;
use storage::names::{Container, KEPT_PARTITIONS, TENANTS_PARTITION, TableName};
use storage::port::{Metadata, Properties, PutMode, Write as Change};

use crate::store::{StoreArgs, tenants};

/// The version of the form.
const VERSION: u32 = 1;

/// Longest line in bytes: a blob of 64 MiB in base64.
const LONGEST: u64 = 96 << 20;

/// After this every row key of ours has come.
const LAST_ROW: &str = "\u{7f}";

/// `presswork export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The file to write; it must not be there yet
    to: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
}

/// `presswork import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// A file that `presswork export` wrote
    from: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Line {
    Head {
        presswork_export: u32,
    },
    Row {
        table: String,
        partition: String,
        row: String,
        properties: Properties,
    },
    Blob {
        container: String,
        path: String,
        content_type: String,
        metadata: Metadata,
        base64: String,
    },
    End {
        rows: u64,
        blobs: u64,
    },
}

/// Writes all there is.
pub(crate) async fn save(settings: SettingsArgs, args: &ExportArgs) -> anyhow::Result<()> {
    let (_, jobs) = args.store.open(settings).await?;
    let file =
        File::create_new(&args.to).with_context(|| format!("cannot make {}", args.to.display()))?;
    let mut out = Out {
        file: BufWriter::new(file),
        rows: 0,
        blobs: 0,
    };
    let head = Line::Head {
        presswork_export: VERSION,
    };
    out.line(&head)?;
    export_rows(&jobs, &mut out).await?;
    export_blobs(jobs.storage(), &mut out).await?;
    let (rows, blobs) = (out.rows, out.blobs);
    out.line(&Line::End { rows, blobs })?;
    out.file.flush()?;
    out.file.get_ref().sync_all()?;
    println!("{}: {rows} rows, {blobs} blobs", args.to.display());
    Ok(())
}

struct Out {
    file: BufWriter<File>,
    rows: u64,
    blobs: u64,
}

impl Out {
    fn line(&mut self, line: &Line) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.file, line)?;
        self.file.write_all(b"\n")?;
        Ok(())
    }
}

async fn export_rows(jobs: &JobStore, out: &mut Out) -> anyhow::Result<()> {
    let tenants = tenants(jobs, None).await?;
    let tenants = tenants.iter().map(schemas::Tenant::as_str);
    for table in TableName::ALL {
        let partitions: Vec<&str> = match table {
            TableName::Tenants => KEPT_PARTITIONS.to_vec(),
            TableName::Jobs | TableName::Sessions | TableName::Webhooks => {
                tenants.clone().collect()
            }
        };
        for partition in partitions {
            let mut from = None;
            loop {
                let tables = &jobs.storage().table;
                let page = tables.query(table, partition, ""..LAST_ROW, 500, from.as_ref());
                let page = page.await?.value;
                for entity in page.entities {
                    out.rows += 1;
                    out.line(&Line::Row {
                        table: table.as_str().to_owned(),
                        partition: partition.to_owned(),
                        row: entity.row,
                        properties: entity.properties,
                    })?;
                }
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
    }
    Ok(())
}

async fn export_blobs(storage: &Storage, out: &mut Out) -> anyhow::Result<()> {
    for container in Container::ALL {
        let mut from = None;
        loop {
            let page = storage
                .blobs
                .list(container, "", 500, from.as_ref())
                .await?;
            for (path, _) in page.blobs {
                let blob = match storage.blobs.get(container, &path).await {
                    Ok(blob) => blob,
                    // It went while we looked.
                    Err(storage::StorageError::NotFound) => continue,
                    Err(e) => return Err(e.into()),
                };
                out.blobs += 1;
                out.line(&Line::Blob {
                    container: container.as_str().to_owned(),
                    path,
                    content_type: blob.info.content_type,
                    metadata: blob.info.metadata,
                    base64: STANDARD.encode(&blob.data),
                })?;
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// Reads all of an export into a store that has no tenants yet.
pub(crate) async fn load(settings: SettingsArgs, args: &ImportArgs) -> anyhow::Result<()> {
    let (_, jobs) = args.store.open(settings).await?;
    let storage = jobs.storage();
    let name = args.from.display();
    let there = storage
        .table
        .query(TableName::Tenants, TENANTS_PARTITION, ""..LAST_ROW, 1, None)
        .await?;
    ensure!(
        there.value.entities.is_empty(),
        "the store is not empty: an import would mix two stores. Import into a new one"
    );
    let file = File::open(&args.from).with_context(|| format!("cannot read {name}"))?;
    let mut file = BufReader::new(file);
    let (mut number, mut rows, mut blobs, mut ended) = (0_u64, 0, 0, false);
    // Tenants last: until then the store counts as empty, and a broken import can be repeated.
    let mut tenants = Vec::new();
    while let Some(line) = next_line(&mut file)? {
        number += 1;
        let place = || format!("{name}, line {number}");
        ensure!(!ended, "{}: there is more after the last line", place());
        let line: Line = serde_json::from_str(&line)
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
            Line::Row {
                table,
                partition,
                row,
                properties,
            } => {
                let table = TableName::ALL.into_iter().find(|t| t.as_str() == table);
                let table = table.with_context(|| format!("{}: no such table", place()))?;
                rows += 1;
                if (table, partition.as_str()) == (TableName::Tenants, TENANTS_PARTITION) {
                    tenants.push((row, properties));
                    continue;
                }
                let write = vec![Change::Upsert(row, properties)];
                let written = storage.table.write(table, &partition, write).await;
                written.with_context(place)?;
            }
            Line::Blob {
                container,
                path,
                content_type,
                metadata,
                base64,
            } => {
                let container = Container::from_name(&container);
                let container =
                    container.with_context(|| format!("{}: no such container", place()))?;
                let data = STANDARD.decode(base64).with_context(place)?;
                blobs += 1;
                let mode = PutMode::Overwrite;
                let put = storage.blobs.put(
                    container,
                    &path,
                    data.into(),
                    &content_type,
                    &metadata,
                    mode,
                );
                put.await.with_context(place)?;
            }
            Line::End {
                rows: all_rows,
                blobs: all_blobs,
            } => {
                ensure!(
                    (rows, blobs) == (all_rows, all_blobs),
                    "{name} has {rows} rows and {blobs} blobs, and says that there were {all_rows} \
                     and {all_blobs}"
                );
                ended = true;
            }
        }
    }
    ensure!(ended, "{name} was cut off: its last line is missing");
    for (row, properties) in tenants {
        let write = vec![Change::Upsert(row, properties)];
        storage
            .table
            .write(TableName::Tenants, TENANTS_PARTITION, write)
            .await?;
    }
    println!("{rows} rows and {blobs} blobs were read");
    println!("Now run `presswork doctor --after-restore`, before any worker.");
    Ok(())
}

/// The next line, without its end; `None` at the end of the file.
fn next_line(file: &mut BufReader<File>) -> anyhow::Result<Option<String>> {
    let mut line = String::new();
    let read = file.by_ref().take(LONGEST).read_line(&mut line)?;
    if read == 0 {
        return Ok(None);
    }
    ensure!(
        line.ends_with('\n') || (read as u64) < LONGEST,
        "a line is longer than {LONGEST} bytes"
    );
    Ok(Some(line.trim_end_matches('\n').to_owned()))
}
