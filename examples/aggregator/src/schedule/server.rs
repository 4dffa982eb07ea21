//! Health and metrics over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use moon_aggregate::Aggregation;
use moon_core::{Error, ErrorKind, Result};
use moon_settings::FLAG;
use tokio::net::TcpListener;

use crate::metrics::{self, Metrics};
use crate::progress::say;

/// What the answers are made from.
#[derive(Debug, Clone)]
struct Shared {
    aggregation: Aggregation,
    metrics: Arc<Metrics>,
}

/// Serves until the program ends.
///
/// # Errors
/// `Unavailable` when the address is not to be had.
pub(super) async fn serve(address: SocketAddr, aggregation: Aggregation, metrics: Arc<Metrics>) -> Result<()> {
    let fail = |cause| {
        Error::new(ErrorKind::Unavailable, "cannot listen at this address")
            .with("address", address)
            .with(FLAG, "--listen")
            .caused_by(cause)
    };
    let listener = TcpListener::bind(address).await.map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    say(&format!("listening at http://{address}"));
    let routes = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(served_metrics))
        .with_state(Shared { aggregation, metrics });
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, routes).await {
            tracing::error!(error = %error, "HTTP is served no longer");
        }
    });
    Ok(())
}

/// The program lives.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Store and warehouse answer.
async fn readyz(State(shared): State<Shared>) -> Response {
    let ready = async {
        shared.aggregation.ledger().store().ping().await?;
        shared.aggregation.warehouse().runs(1).await.map(|_| ())
    };
    match ready.await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(error = %error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
        }
    }
}

async fn served_metrics(State(shared): State<Shared>) -> Response {
    shared.metrics.refresh(&shared.aggregation).await;
    match shared.metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(error = %error, "no metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
