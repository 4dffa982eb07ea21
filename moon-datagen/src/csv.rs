//! Sales as a file, to measure an import by.

use std::io::Write;

use moon_core::{Calendar, Currency, Error, ErrorKind, Result};

use crate::sale::SaleMaker;
use crate::{Plan, SalesForce};

/// The names of the columns, in their order.
pub const SALES_CSV_HEADER: &str = "reference,date,agent,product,amount,branch,team,policy,kind";

/// Writes the contents of all sales of a plan, as they are first entered and in the order of their dates: a header, then a
/// row for each. Nothing is quoted, since no value needs it; what the source does not give is empty; lines end in a line
/// feed. Takes no memory for the sales; hand in something that buffers.
///
/// # Errors
/// `InvalidInput` when the plan cannot be carried out; `Backend` when writing fails.
pub fn write_sales_csv(plan: &Plan, currency: Currency, mut writer: impl Write) -> Result<()> {
    let failed = |cause: std::io::Error| Error::new(ErrorKind::Backend, "cannot write the sales").caused_by(cause);
    let force = SalesForce::new(plan, currency, Calendar::default())?;
    let mut maker = SaleMaker::new(&force)?;
    writeln!(writer, "{SALES_CSV_HEADER}").map_err(failed)?;
    for sale in 0..plan.sales {
        let Some(content) = maker.content(sale)? else { continue };
        let key = maker.key(sale)?;
        let agent = content.agent.as_ref().map_or("", |code| code.as_str());
        let branch = content.branch.as_ref().map_or("", |code| code.as_str());
        let team = content.team.as_ref().map_or("", |code| code.as_str());
        let policy = content.policy_number.as_ref().map_or("", |number| number.as_str());
        let (reference, date, product) = (key.reference, content.date, content.product);
        let (amount, kind) = (content.amount.display(currency), content.kind.name());
        writeln!(writer, "{reference},{date},{agent},{product},{amount},{branch},{team},{policy},{kind}")
            .map_err(failed)?;
    }
    writer.flush().map_err(failed)
}
