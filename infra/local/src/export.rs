//! `presswork export` and `presswork import`: every row and blob as JSON lines, between any two
//! stores; or, with `--stored`, the rows alone into a container of the store itself and back, which a
//! scheduled job does each night.
//!
//! The first line says what it is, the last how much there was, so that a file that was cut off is
//! noticed. Rows come before blobs; under load an export is no single moment, so that for one the
//! programs are stopped. Messages are not taken along: the reconciler makes them anew.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use config::{Backend, SettingsArgs};
use serde::{Deserialize, Serialize};
use storage::ambient::System;
use storage::embedded::part::Part;
use storage::jobs::JobStore;
use storage::names::{Container, KEPT_PARTITIONS, TableName};
use storage::pages::{Listing, Rows};
use storage::port::{Metadata, Properties};
use storage::{Clock, Entropy, Storage, azure};

use crate::export_place::{Sink, Stored};
use crate::store::{StoreArgs, tenants};

/// The version of the form.
pub(crate) const VERSION: u32 = 1;

/// After this every row key of ours has come.
pub(crate) const LAST_ROW: &str = "\u{7f}";

/// `presswork export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The file to write; it must not be there yet
    #[arg(required_unless_present = "stored")]
    to: Option<PathBuf>,
    /// Write the rows, without blobs, into the container `exports` of the storage account itself
    #[arg(long, conflicts_with = "to")]
    stored: bool,
    #[command(flatten)]
    store: StoreArgs,
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Line {
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
    let (jobs, to) = match &args.to {
        Some(path) => {
            let (_, jobs) = args.store.open(settings).await?;
            (jobs, Sink::file(Part::of_new(path)?))
        }
        None => stored(settings, args)?,
    };
    let mut out = Out {
        to,
        rows: 0,
        blobs: 0,
    };
    out.line(&Line::Head {
        presswork_export: VERSION,
    })
    .await?;
    export_rows(&jobs, &mut out).await?;
    if args.to.is_some() {
        export_blobs(jobs.storage(), &mut out).await?;
    }
    let (rows, blobs) = (out.rows, out.blobs);
    out.line(&Line::End { rows, blobs }).await?;
    println!("{}: {rows} rows, {blobs} blobs", out.to.finish().await?);
    Ok(())
}

/// Opens the account without asking whether all of it may be used: who makes the export of each night
/// may read tables and write to one container, and nothing else.
fn stored(settings: SettingsArgs, args: &ExportArgs) -> anyhow::Result<(JobStore, Sink)> {
    let loaded = args.store.load(settings)?;
    if loaded.config.storage.backend == Backend::Embedded {
        bail!("--stored is for Azure Storage: `presswork backup` copies the embedded store");
    }
    let ambient = Arc::new(System::new());
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (ambient.clone(), ambient);
    let account = azure::Account::connect(&loaded.config.storage.azure, clock.clone())?;
    let to = Sink::stored(Stored::new(account.storage().blobs.clone(), clock.now()));
    let jobs = JobStore::new(account.storage(), clock, entropy, &loaded.config.worker);
    Ok((jobs, to))
}

struct Out {
    to: Sink,
    rows: u64,
    blobs: u64,
}

impl Out {
    async fn line(&mut self, line: &Line) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.to.write(&text).await
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
            let tables = &*jobs.storage().table;
            let mut rows = Rows::of(tables, table, partition, ""..LAST_ROW).at_most(500);
            while let Some(page) = rows.next_page().await? {
                for entity in page.value {
                    out.rows += 1;
                    out.line(&Line::Row {
                        table: table.as_str().to_owned(),
                        partition: partition.to_owned(),
                        row: entity.row,
                        properties: entity.properties,
                    })
                    .await?;
                }
            }
        }
    }
    Ok(())
}

async fn export_blobs(storage: &Storage, out: &mut Out) -> anyhow::Result<()> {
    for container in Container::OF_TENANTS {
        let mut listing = Listing::of(&*storage.blobs, container, "");
        while let Some(page) = listing.next_page().await? {
            for (path, _) in page {
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
                })
                .await?;
            }
        }
    }
    Ok(())
}
