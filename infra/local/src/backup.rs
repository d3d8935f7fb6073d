//! `presswork backup` and `presswork restore`: the embedded store as one file, and back.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use config::{Backend, Config, SettingsArgs};
use storage::embedded::backup;

use crate::store::StoreArgs;

/// `presswork backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file to write; it must not be there yet
    to: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
}

/// `presswork restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// A file that `presswork backup` wrote
    from: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
}

/// Makes a backup, while programs may go on working.
pub(crate) fn save(settings: SettingsArgs, args: &BackupArgs) -> anyhow::Result<()> {
    let loaded = args.store.load(settings)?;
    embedded(&loaded.config)?;
    let bytes = backup::save(&loaded.config.storage.data_dir, &args.to)?;
    println!("{}: {bytes} bytes, checked", args.to.display());
    Ok(())
}

/// Puts a backup back.
pub(crate) fn restore(settings: SettingsArgs, args: &RestoreArgs) -> anyhow::Result<()> {
    let loaded = args.store.load(settings)?;
    embedded(&loaded.config)?;
    let dir = &loaded.config.storage.data_dir;
    let former = backup::restore(&args.from, dir)?;
    println!(
        "the store in {} is the one of {}",
        dir.display(),
        args.from.display()
    );
    if let Some(former) = former {
        println!("the former store is kept as {}", former.display());
    }
    println!(
        "Now run `presswork doctor --after-restore --data {}`, before any worker: it holds the jobs \
         whose model call may have been made after the backup.",
        dir.display()
    );
    Ok(())
}

fn embedded(config: &Config) -> anyhow::Result<()> {
    if config.storage.backend == Backend::Azure {
        bail!(
            "only the embedded store is backed up as a file. Azure Storage keeps versions and \
             deleted blobs by itself; `presswork export` takes rows and blobs out of it"
        );
    }
    Ok(())
}
