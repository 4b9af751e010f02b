//! Both servers in one runtime, and how they end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use actix_http::body::BoxBody;
use actix_http::error::DispatchError;
use actix_http::{HttpService, Request, Response};
use actix_server::{GracefulShutdownSignal, Server, ServerHandle};
use actix_service::{Service, ServiceFactory, ServiceFactoryExt, fn_factory, fn_service};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::signal::unix::{SignalKind, signal};

use super::Error;
use super::listen::Bound;
use crate::gate::{Gate, Lane, Waits};
use crate::portal;
use crate::web::Shared;
use crate::web::limits::RequestLimits;
use crate::web::priority::{StandsBack, stand_back};

/// How long running requests may take to finish when the process is told to end.
const FINISH_SECONDS: u64 = 6;

/// Idle connections of people are closed sooner than those of gateways, which keep theirs for the next request.
const PEOPLE_STAY: Duration = Duration::from_secs(15);
const GATEWAYS_STAY: Duration = Duration::from_secs(90);

/// How long a closing connection may take.
const DISCONNECT: Duration = Duration::from_secs(1);

/// Two threads serve pages: people are few, and the gate needs the cores.
const PORTAL_WORKERS: usize = 2;

pub(super) fn until_told_to_end(
    portal: Option<(Bound, Shared)>,
    gate: Option<(Bound, Gate)>,
    on_ready: impl FnOnce(),
) -> Result<(), Error> {
    actix_web::rt::System::new().block_on(async move {
        let mut servers = Vec::new();
        if let Some((bound, gate)) = gate {
            servers.push(gate_server(bound, gate)?);
        }
        if let Some((bound, shared)) = portal {
            servers.push(portal_server(bound, shared)?);
        }
        let handles: Vec<ServerHandle> = servers.iter().map(Server::handle).collect();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let running: Vec<_> = servers.into_iter().map(actix_web::rt::spawn).collect();
        on_ready();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to end: finishing what is running");
        futures_util::future::join_all(handles.iter().map(|handle| handle.stop(true))).await;
        for server in running {
            server.await.map_err(io::Error::other)??;
        }
        Ok(())
    })
}

fn portal_server(bound: Bound, shared: Shared) -> io::Result<Server> {
    let limits = shared.limits;
    let shared = Data::new(shared);
    let server = HttpServer::new(move || {
        // This runs once on each thread that serves pages.
        stand_back(StandsBack::Pages);
        App::new().configure(portal::configure(shared.clone()))
    })
    .workers(PORTAL_WORKERS)
    .max_connections(limits.connections_of_each(PORTAL_WORKERS))
    .keep_alive(PEOPLE_STAY)
    .client_request_timeout(limits.head_time)
    .shutdown_timeout(FINISH_SECONDS)
    .disable_signals();
    Ok(match bound {
        Bound::Tcp(listener, _) => server.listen(listener)?,
        Bound::Unix(listener, _) => server.listen_uds(listener)?,
    }
    .run())
}

/// The gate stands on the framework's HTTP alone: routes, extractors and middleware would cost it a part of each verdict.
pub(super) fn gate_server(bound: Bound, gate: Gate) -> io::Result<Server> {
    let limits = gate.settings().limits;
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let builder = Server::build()
        .workers(workers)
        .max_concurrent_connections(limits.connections_of_each(workers))
        .shutdown_timeout(FINISH_SECONDS)
        .disable_signals();
    let ending = builder.graceful_shutdown_signal();
    let builder = match bound {
        Bound::Tcp(listener, _) => builder.listen("gate", listener, move || {
            let connected = |io: TcpStream| async move {
                let peer = io.peer_addr().ok();
                Ok((io, peer))
            };
            fn_service(connected).and_then(gate_service(gate.clone(), ending.clone()))
        }),
        Bound::Unix(listener, _) => builder.listen_uds("gate", listener, move || {
            let connected = |io: UnixStream| async move { Ok((io, None)) };
            fn_service(connected).and_then(gate_service(gate.clone(), ending.clone()))
        }),
    };
    Ok(builder?.run())
}

/// HTTP/1.1 on one kind of connection, with its peer's address: on the gate's own lane as long as it goes, and then by the
/// framework.
fn gate_service<T>(
    gate: Gate,
    ending: GracefulShutdownSignal,
) -> impl ServiceFactory<
    (T, Option<SocketAddr>),
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let limits: RequestLimits = gate.settings().limits;
    let waits = Waits {
        first: limits.head_time,
        next: GATEWAYS_STAY,
    };
    let asked = gate.clone();
    let answered = move |request: Request| {
        let gate = asked.clone();
        async move { Ok::<Response<BoxBody>, Infallible>(gate.answer(request).await) }
    };
    let told = ending.clone();
    let framework = HttpService::build()
        .keep_alive(GATEWAYS_STAY)
        .client_request_timeout(limits.head_time)
        .client_disconnect_timeout(DISCONNECT)
        .graceful_shutdown_signal(move || {
            let ending = told.clone();
            async move { ending.notified().await }
        })
        .h1(fn_service(answered));
    fn_factory(move || {
        let lane = Rc::new(Lane::new(gate.clone(), waits));
        let (framework, ending) = (framework.new_service(()), ending.clone());
        async move {
            let framework = Rc::new(framework.await?);
            let connected = move |(io, peer): (T, Option<SocketAddr>)| {
                let (lane, framework) = (Rc::clone(&lane), Rc::clone(&framework));
                let ending = ending.clone();
                async move {
                    let address = peer.map(|peer| peer.ip());
                    match lane.serve(io, address, ending.notified()).await {
                        Some(rewound) => framework.call((rewound, peer)).await,
                        None => Ok(()),
                    }
                }
            };
            Ok(fn_service(connected))
        }
    })
}
