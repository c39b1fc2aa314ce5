//! The admin server: `/live`, `/ready`, `/metrics`. For the operator's own network; says nothing of events, people or the
//! configuration, and takes no orders.

mod assignment;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use assignment::{Assigned, State as PartitionState};

use crate::metrics::Metrics;

/// How long open requests may take to end at a stop.
const DRAIN: Duration = Duration::from_secs(2);

/// Why there is no admin server. Fatal at start.
#[derive(Debug, Error)]
pub enum AdminError {
    /// The address cannot be used.
    #[error("admin server: cannot listen on {address}: {source}; choose a free address under [admin]")]
    Bind {
        /// Address as configured.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system gives no thread or runtime.
    #[error("admin server: cannot start: {0}")]
    Start(std::io::Error),
}

/// Whether the process is ready: when every latch is released.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<Vec<Latch>>>);

impl Readiness {
    /// Adds something to wait for; held until released.
    pub fn latch(&self, name: &'static str) -> Latch {
        let latch = Latch { name, released: Arc::default(), assigned: Arc::default() };
        self.latches().push(latch.clone());
        latch
    }

    /// What is waited for, in the order in which latches were added; empty when ready.
    pub fn waiting(&self) -> Vec<&'static str> {
        self.latches().iter().filter(|latch| !latch.is_released()).map(|latch| latch.name).collect()
    }

    /// The partitions of the source, where it has such.
    pub fn assignment(&self) -> Option<Vec<Assigned>> {
        let shown = |latch: &Latch| latch.assigned.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.latches().iter().find_map(shown)
    }

    fn latches(&self) -> std::sync::MutexGuard<'_, Vec<Latch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that readiness waits for. May be held again when it fails later.
#[derive(Clone, Debug)]
pub struct Latch {
    name: &'static str,
    released: Arc<AtomicBool>,
    assigned: Arc<Mutex<Option<Vec<Assigned>>>>,
}

impl Latch {
    /// It has come.
    pub fn release(&self) {
        self.released.store(true, Ordering::Release);
    }

    /// Shows which partitions it has.
    pub fn show(&self, assigned: Vec<Assigned>) {
        *self.assigned.lock().unwrap_or_else(PoisonError::into_inner) = Some(assigned);
    }

    /// It is gone again: the process is not ready.
    pub fn hold(&self) {
        self.released.store(false, Ordering::Release);
    }

    /// Whether it has come.
    pub fn is_released(&self) -> bool {
        self.released.load(Ordering::Acquire)
    }
}

/// The running server.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

#[derive(Clone)]
struct Shown {
    metrics: Arc<Metrics>,
    readiness: Readiness,
}

impl Admin {
    /// Listens on `address` and serves from a thread of its own.
    ///
    /// # Errors
    /// The address is in use or not this machine's, or the system gives no thread.
    pub fn start(address: SocketAddr, metrics: Arc<Metrics>, readiness: Readiness) -> Result<Self, AdminError> {
        let bind = |source| AdminError::Bind { address, source };
        let listener = std::net::TcpListener::bind(address).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(AdminError::Start)?;
        let (stop, stopped) = oneshot::channel();
        let shown = Shown { metrics, readiness };
        let serve = move || runtime.block_on(serve(listener, shown, stopped));
        let thread = std::thread::Builder::new().name("admin".to_owned()).spawn(serve).map_err(AdminError::Start)?;
        Ok(Self { address, stop, thread })
    }

    /// Where it listens; tells the port when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new request, lets open ones end for two seconds, and returns when the thread has ended.
    pub fn stop(self) {
        // The receiver is gone only if the server has ended by itself, which it has logged.
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the admin server ended by a fault of its own");
        }
    }
}

async fn serve(listener: std::net::TcpListener, shown: Shown, stopped: oneshot::Receiver<()>) {
    let (drain, draining) = oneshot::channel::<()>();
    let router = Router::new()
        .route("/live", get(live))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(shown);
    let server = async {
        let listener = TcpListener::from_std(listener)?;
        axum::serve(listener, router).with_graceful_shutdown(ended(draining)).await
    };
    let deadline = async {
        ended(stopped).await;
        drop(drain);
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = server => if let Err(error) = served { tracing::error!(%error, "the admin server ended") },
        () = deadline => tracing::warn!("open admin requests were cut off at the stop"),
    }
}

/// Waits for the other side to send or to go; both mean the same.
async fn ended(signal: oneshot::Receiver<()>) {
    signal.await.ok();
}

async fn live() -> &'static str {
    "live\n"
}

async fn ready(State(shown): State<Shown>) -> Response {
    let waiting = shown.readiness.waiting();
    let status = if waiting.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut body = serde_json::json!({ "ready": waiting.is_empty(), "waiting_for": waiting });
    if let Some(assignment) = shown.readiness.assignment() {
        body["assignment"] = serde_json::json!(assignment);
    }
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn metrics(State(shown): State<Shown>) -> Response {
    match shown.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
