//! What `explain` shows.

use std::io::{self, BufWriter, Stdout, Write as _};
use std::sync::Arc;

use moon_aggregate::{ExplainedPosting, Explanation, Origin, Question};
use moon_core::{Currency, Dimension, Error, ErrorKind, Result};
use moon_settings::{HINT, SettingsArgs};
use serde_json::{Value, json};

use crate::args::{ExplainArgs, Format};
use crate::grid::{Align, Grid};
use crate::output::{amount, csv_line, days, number, plain, run_key, written};
use crate::progress::say;
use crate::wiring;

/// Gives the postings behind a figure.
pub(crate) async fn explain(settings: &SettingsArgs, args: &ExplainArgs) -> Result<()> {
    let settings = wiring::settings(settings)?;
    wiring::check_period("PERIOD", &args.period)?;
    let aggregation = wiring::read(&settings).await?;
    let ledger = aggregation.ledger().settings();
    let question = Question {
        dimension: args.group.into(),
        code: Arc::from(args.code.as_str()),
        period: wiring::period(ledger.calendar, "PERIOD", &args.period)?,
        basis: args.basis,
    };
    let mut printer = Printer::new(args, ledger.currency);
    printer.begin()?;
    let explained = aggregation.explain(&question, &mut |posting| printer.posting(&posting)).await;
    if printer.closed {
        return Ok(());
    }
    let explanation = explained?;
    printer.end(&explanation)?;
    verdict(&explanation)
}

/// # Errors
/// `Corrupt` when the postings do not add up to what is published, and no change explains it.
fn verdict(explanation: &Explanation) -> Result<()> {
    if explanation.is_exact() {
        return Ok(());
    }
    if !explanation.pending.is_empty() || explanation.run.is_none() {
        say("the published figure is older than the postings; the next run brings it up to date");
        return Ok(());
    }
    Err(Error::new(ErrorKind::Corrupt, "postings do not add up to the published figure, and no change explains it")
        .with(HINT, "verify finds what differs; run --full brings it in order"))
}

/// Prints postings as they come.
struct Printer<'a> {
    args: &'a ExplainArgs,
    currency: Currency,
    out: BufWriter<Stdout>,
    grid: Grid,
    shown: usize,
    /// Whether whoever reads has seen enough.
    closed: bool,
}

impl<'a> Printer<'a> {
    fn new(args: &'a ExplainArgs, currency: Currency) -> Self {
        let grid = Grid::new(vec![
            ("Date", Align::Left),
            ("Sale", Align::Left),
            ("Rev", Align::Right),
            ("What", Align::Left),
            ("On", Align::Left),
            ("Agent", Align::Left),
            ("Product", Align::Left),
            ("Amount", Align::Right),
            ("Count", Align::Right),
            ("Counts here because", Align::Left),
        ]);
        Self { args, currency, out: BufWriter::new(io::stdout()), grid, shown: 0, closed: false }
    }

    fn begin(&mut self) -> Result<()> {
        if self.args.format.format == Format::Csv {
            let mut header = String::new();
            csv_line(
                &mut header,
                &[
                    "source",
                    "reference",
                    "revision",
                    "kind",
                    "sale_date",
                    "date",
                    "agent",
                    "team",
                    "branch",
                    "product",
                    "amount",
                    "count",
                    "origin",
                    "assigned_from",
                ],
            );
            return self.write(&header);
        }
        Ok(())
    }

    fn posting(&mut self, posting: &ExplainedPosting) -> Result<()> {
        match self.args.format.format {
            Format::Table => {
                if self.shown < self.args.limit {
                    self.grid.push(self.row(posting));
                    self.shown += 1;
                }
                Ok(())
            }
            Format::Json => self.write(&format!("{}\n", self.document(posting))),
            Format::Csv => {
                let mut text = String::new();
                self.csv(posting, &mut text);
                self.write(&text)
            }
        }
    }

    /// Writes, or ends it all when nobody reads any more.
    fn write(&mut self, text: &str) -> Result<()> {
        if written(self.out.write_all(text.as_bytes()))? {
            return Ok(());
        }
        self.closed = true;
        Err(Error::new(ErrorKind::Backend, "standard output is closed"))
    }

    fn row(&self, posting: &ExplainedPosting) -> Vec<String> {
        let because = match (&posting.origin, self.args.group.into()) {
            (_, Dimension::Product) => "of its product".to_owned(),
            (Origin::Derived(assignment), _) => {
                format!("{} was assigned from {}", assignment.agent, assignment.from)
            }
            (Origin::Given, _) => "the source said so".to_owned(),
            (Origin::Unassigned, _) => "nobody knows a place".to_owned(),
            (Origin::Unexplained, _) => "nothing known explains it".to_owned(),
        };
        vec![
            posting.sale_day.to_string(),
            posting.key.to_string(),
            posting.revision.to_string(),
            posting.kind.name().to_owned(),
            posting.own_day.to_string(),
            posting.agent.as_ref().map(ToString::to_string).unwrap_or_default(),
            posting.product.to_string(),
            amount(posting.amount.minor().into(), self.currency),
            posting.count.to_string(),
            because,
        ]
    }

    fn document(&self, posting: &ExplainedPosting) -> Value {
        let assigned = match &posting.origin {
            Origin::Derived(assignment) => json!({
                "from": assignment.from.to_string(),
                "to": assignment.to.map(|day| day.to_string()),
                "version": assignment.version.0,
                "entered_by": assignment.entered_by.as_str(),
            }),
            Origin::Given | Origin::Unassigned | Origin::Unexplained => Value::Null,
        };
        json!({
            "sale_id": posting.sale.0.to_string(),
            "source": posting.key.source.as_str(),
            "reference": posting.key.reference.as_str(),
            "revision": posting.revision.0,
            "kind": posting.kind.name(),
            "sale_date": posting.sale_day.to_string(),
            "date": posting.own_day.to_string(),
            "agent": posting.agent.as_ref().map(|code| code.as_str()),
            "team": posting.places.team.as_ref().map(|code| code.as_str()),
            "branch": posting.places.branch.as_ref().map(|code| code.as_str()),
            "product": posting.product.as_str(),
            "amount": plain(posting.amount.minor().into(), self.currency),
            "count": posting.count,
            "origin": posting.origin.name(),
            "assignment": assigned,
        })
    }

    fn csv(&self, posting: &ExplainedPosting, out: &mut String) {
        let from = match &posting.origin {
            Origin::Derived(assignment) => assignment.from.to_string(),
            Origin::Given | Origin::Unassigned | Origin::Unexplained => String::new(),
        };
        csv_line(
            out,
            &[
                posting.key.source.as_str(),
                posting.key.reference.as_str(),
                &posting.revision.to_string(),
                posting.kind.name(),
                &posting.sale_day.to_string(),
                &posting.own_day.to_string(),
                posting.agent.as_ref().map_or("", |code| code.as_str()),
                posting.places.team.as_ref().map_or("", |code| code.as_str()),
                posting.places.branch.as_ref().map_or("", |code| code.as_str()),
                posting.product.as_str(),
                &plain(posting.amount.minor().into(), self.currency),
                &posting.count.to_string(),
                posting.origin.name(),
                &from,
            ],
        );
    }

    fn end(&mut self, explanation: &Explanation) -> Result<()> {
        match self.args.format.format {
            Format::Table => {
                let text = self.table(explanation);
                self.write(&text)?;
            }
            Format::Json => {
                let document = json!({
                    "postings": explanation.postings,
                    "explained_sales": plain(explanation.explained.minor, self.currency),
                    "explained_count": explanation.explained.count,
                    "published_sales": plain(explanation.published.minor, self.currency),
                    "published_count": explanation.published.count,
                    "exact": explanation.is_exact(),
                    "changed_since": explanation.pending.ranges().iter().map(|range| days(*range)).collect::<Vec<_>>(),
                    "run": explanation.run.as_ref().map(|record| run_key(&record.key)),
                });
                self.write(&format!("{document}\n"))?;
            }
            Format::Csv => {}
        }
        if !written(self.out.flush())? {
            self.closed = true;
        }
        Ok(())
    }

    fn table(&mut self, explanation: &Explanation) -> String {
        let ExplainArgs { group, code, period, basis, .. } = self.args;
        let dimension: Dimension = (*group).into();
        let mut out = format!("{} {code}, {period}, {} ({})\n", dimension.name(), basis.name(), self.currency);
        let sum = |sum: moon_core::Sum| (amount(sum.minor, self.currency), number(sum.count));
        let (explained, count) = sum(explanation.explained);
        let mut total = vec!["Total".to_owned()];
        total.extend(std::iter::repeat_with(String::new).take(6));
        total.extend([explained, count, String::new()]);
        self.grid.sum_up(total);
        self.grid.write(&mut out);
        let shown = u64::try_from(self.shown).unwrap_or(u64::MAX);
        if let Some(more) = explanation.postings.checked_sub(shown).filter(|more| *more > 0) {
            out.push_str(&format!("and {} more postings, which the total includes\n", number(more)));
        }
        let (published, count) = sum(explanation.published);
        let verdict = if explanation.is_exact() { "exactly that" } else { "not that" };
        out.push_str(&format!("Published: {published} ({count}): {verdict}\n"));
        out
    }
}
