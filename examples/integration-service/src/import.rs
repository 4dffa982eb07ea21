//! Importing a file.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use moon_core::{Actor, Error, ErrorKind, Result};
use moon_import::{ImportMap, ImportOptions, ImportReport, import_file, inspect_file};
use moon_settings::{FLAG, HINT, Settings, SettingsArgs, init_logging, open_ledger};

use crate::args::ImportArgs;
use crate::console::{Console, summarize};

/// Imports, prints the counts, and says what is to be said.
///
/// # Errors
/// Whatever stopped the import; `Refused` also when the ledger did not take in all rows of a file with an expectation.
pub(crate) async fn run(settings: &SettingsArgs, args: &ImportArgs) -> Result<()> {
    let settings = Settings::load(settings)?;
    init_logging(&settings)?;
    let actor = Actor::new(&args.actor).map_err(|error| error.with(FLAG, "--actor"))?;
    let map = ImportMap::load(&args.map)?;
    // A wrong file is refused before a store is opened, which might create one.
    inspect_file(&map, &args.file)?;
    let ledger = open_ledger(&settings).await?;
    let rejects = args.rejects.clone().unwrap_or_else(|| default_rejects(&args.file));
    let mut console = Console::new();
    let options = ImportOptions { actor, rejects };
    let imported = import_file(&ledger, &map, &args.file, &options, &mut |progress| console.show(progress)).await;
    console.clear();
    let report = imported?;
    print(&report)?;
    summarize(&report);
    if map.expect.is_some() && report.refused_rows > 0 {
        return Err(Error::new(ErrorKind::Refused, "the ledger did not take in all rows that the map expects")
            .with("rows", report.refused_rows)
            .with(HINT, "the reject file has the reasons; once they are mended, repeat the command"));
    }
    Ok(())
}

/// The counts, as one line of JSON on standard output.
fn print(report: &ImportReport) -> Result<()> {
    let failed = |cause: io::Error| Error::new(ErrorKind::Backend, "print the counts").caused_by(cause);
    let line = serde_json::to_string(&report.summary).map_err(|cause| failed(cause.into()))?;
    writeln!(io::stdout().lock(), "{line}").map_err(failed)
}

/// The name of the file with another ending, in the working directory.
fn default_rejects(file: &Path) -> PathBuf {
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push(".rejects.csv");
    PathBuf::from(name)
}
