//! Encryption and certificates, against a listener that speaks just enough of the protocol: it agrees to TLS or not, and
//! then refuses the password. So whoever is told of the password got through the handshake.
//!
//! The certificates in `tls/` are for `localhost`, by an authority of their own, and serve these tests alone.

use std::path::Path;
use std::sync::Arc;

use moon_core::ErrorKind;
use moon_store_postgres::PostgresStore;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The length and the number of a request for encryption.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// FATAL 28P01: the password is wrong.
const REFUSAL: &[u8] = b"E\0\0\0\x23SFATAL\0VFATAL\0C28P01\0Mrefused\0\0";

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/tls")
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(folder().join("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder().join("server_key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()))
}

/// Answers a startup message, of which `begun` is known, with the refusal.
async fn refuse(mut stream: impl AsyncRead + AsyncWrite + Unpin, begun: &[u8]) -> std::io::Result<()> {
    let mut head = begun.to_vec();
    head.resize(8, 0);
    stream.read_exact(&mut head[begun.len()..]).await?;
    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
    let mut rest = vec![0; usize::try_from(length).unwrap() - 8];
    stream.read_exact(&mut rest).await?;
    stream.write_all(REFUSAL).await?;
    stream.shutdown().await
}

async fn serve(mut socket: TcpStream, tls: Option<TlsAcceptor>) -> std::io::Result<()> {
    let mut head = [0; 8];
    socket.read_exact(&mut head).await?;
    if head != SSL_REQUEST {
        return refuse(socket, &head).await;
    }
    match tls {
        Some(acceptor) => {
            socket.write_all(b"S").await?;
            refuse(acceptor.accept(socket).await?, &[]).await
        }
        None => {
            socket.write_all(b"N").await?;
            refuse(socket, &[]).await
        }
    }
}

/// How connecting ends, with these parameters in the URL.
async fn connect(offers_tls: bool, host: &str, parameters: &str) -> ErrorKind {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = offers_tls.then(acceptor);
    let server = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            // A client that does not trust breaks off.
            let _ = serve(socket, tls.clone()).await;
        }
    });
    let url = format!("postgres://moon:hunter2@{host}:{port}/moon{parameters}");
    let error = PostgresStore::connect(&url).await.map(drop).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    server.abort();
    error.kind()
}

#[tokio::test]
async fn certificates_are_checked_where_encryption_is_asked_for() {
    const CONNECTED: ErrorKind = ErrorKind::InvalidInput;
    const REFUSED: ErrorKind = ErrorKind::Unavailable;
    let trusting = format!("sslrootcert={}", folder().join("authority.pem").display());
    for mode in ["require", "verify-full"] {
        let asked = format!("?sslmode={mode}&{trusting}");
        assert_eq!(connect(true, "localhost", &asked).await, CONNECTED, "{mode}");
        assert_eq!(connect(true, "127.0.0.1", &asked).await, REFUSED, "{mode}: another name");
        assert_eq!(connect(false, "localhost", &asked).await, REFUSED, "{mode}: no encryption offered");
        let by_its_own = format!("?sslmode={mode}&sslrootcert={}", folder().join("server.pem").display());
        assert_eq!(connect(true, "127.0.0.1", &by_its_own).await, REFUSED, "{mode}: another authority");
    }
    for offers_tls in [true, false] {
        for parameters in ["", "?sslmode=prefer", "?sslmode=disable"] {
            assert_eq!(connect(offers_tls, "127.0.0.1", parameters).await, CONNECTED, "{offers_tls} {parameters}");
        }
    }
}

#[tokio::test]
async fn root_certificates_that_cannot_be_used_are_told() {
    for file in ["/no/such/file.pem", env!("CARGO_MANIFEST_PATH")] {
        let url = format!("postgres://moon:hunter2@localhost/moon?sslmode=require&sslrootcert={file}");
        let error = PostgresStore::connect(&url).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
        assert!(error.to_string().contains(file), "{error}");
    }
}
