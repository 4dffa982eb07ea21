//! Writes generated sales to standard output: `cargo run --release -p moon-datagen --example sales_csv -- 1000000 [SEED]`.

use std::io::{BufWriter, stdout};
use std::process::ExitCode;

use moon_core::{Error, Result};
use moon_datagen::{Plan, write_sales_csv};

fn run() -> Result<()> {
    let mut numbers = std::env::args().skip(1).map(|argument| {
        let fail =
            |cause| Error::invalid("argument is not a whole number").with("argument", &argument).caused_by(cause);
        argument.parse::<u64>().map_err(|cause| fail(Box::new(cause)))
    });
    let mut plan = Plan::default();
    if let Some(sales) = numbers.next() {
        plan.sales = sales?;
    }
    if let Some(seed) = numbers.next() {
        plan.seed = seed?;
    }
    write_sales_csv(&plan, "LKR".parse()?, BufWriter::new(stdout().lock()))
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write;
            // Nobody is left to tell when standard error is closed too.
            let _ = writeln!(std::io::stderr(), "failed to write sales: {error}");
            ExitCode::FAILURE
        }
    }
}
