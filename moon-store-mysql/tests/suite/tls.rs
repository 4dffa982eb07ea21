//! Encryption and certificates, against a listener that speaks just enough of the protocol: it offers TLS or not, and then
//! refuses the password. So whoever is told of the password got through the handshake.
//!
//! The certificates in `tls/` are for `localhost`, by an authority of their own, and serve these tests alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use moon_core::ErrorKind;
use moon_store_mysql::MysqlStore;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Long passwords, a database, encryption, protocol 4.1, transactions, secure connection; plugins are in the upper half.
const CAPABILITIES: u32 = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x8_0000;
const OFFERS_TLS: u32 = 0x800;
/// The length of a request for encryption, which is shorter than any other answer to the greeting.
const SSL_REQUEST: usize = 32;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/tls")
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(folder().join("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder().join("server_key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()))
}

/// A packet: three bytes of length, its number, what it says.
async fn send(stream: &mut (impl AsyncWrite + Unpin), number: u8, payload: &[u8]) -> std::io::Result<()> {
    let mut packet = u32::try_from(payload.len()).unwrap().to_le_bytes().to_vec();
    packet[3] = number;
    packet.extend(payload);
    stream.write_all(&packet).await
}

async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<(u8, usize)> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let length = usize::try_from(u32::from_le_bytes([head[0], head[1], head[2], 0])).unwrap();
    stream.read_exact(&mut vec![0; length]).await?;
    Ok((head[3], length))
}

fn greeting(offers_tls: bool) -> Vec<u8> {
    let capabilities = if offers_tls { CAPABILITIES | OFFERS_TLS } else { CAPABILITIES };
    let [a, b, c, d] = capabilities.to_le_bytes();
    let mut payload = vec![10];
    payload.extend(b"8.4.0-listener\0\x01\0\0\0saltsalt\0");
    payload.extend([a, b, 45, 2, 0, c, d, 21]);
    payload.extend([0; 10]);
    payload.extend(b"saltsaltsalt\0mysql_native_password\0");
    payload
}

/// 1045: the password is wrong.
async fn refuse(stream: &mut (impl AsyncWrite + Unpin), number: u8) -> std::io::Result<()> {
    send(stream, number, b"\xff\x15\x04#28000Access denied").await?;
    stream.shutdown().await
}

async fn serve(mut socket: TcpStream, tls: Option<TlsAcceptor>) -> std::io::Result<()> {
    send(&mut socket, 0, &greeting(tls.is_some())).await?;
    let (number, length) = receive(&mut socket).await?;
    match tls.filter(|_| length == SSL_REQUEST) {
        None => refuse(&mut socket, number + 1).await,
        Some(acceptor) => {
            let mut stream = acceptor.accept(socket).await?;
            let (number, _) = receive(&mut stream).await?;
            refuse(&mut stream, number + 1).await
        }
    }
}

/// How connecting ends, with these parameters in the URL.
async fn connect(offers_tls: bool, host: &str, parameters: &str) -> moon_core::Error {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = offers_tls.then(acceptor);
    let server = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            // A client that does not trust breaks off.
            let _ = serve(socket, tls.clone()).await;
        }
    });
    let url = format!("mysql://moon:hunter2@{host}:{port}/moon{parameters}");
    let error = MysqlStore::connect(&url).await.map(drop).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    server.abort();
    error
}

/// Whether the handshake was completed.
fn got_through(error: &moon_core::Error) -> bool {
    error.to_string().contains("the user or the password")
}

#[tokio::test]
async fn certificates_are_checked_where_encryption_is_asked_for() {
    let trusting = format!("ssl-ca={}", folder().join("authority.pem").display());
    let strange = format!("ssl-ca={}", folder().join("stranger.pem").display());
    for mode in ["required", "verify-identity"] {
        let asked = format!("?ssl-mode={mode}&{trusting}");
        let error = connect(true, "localhost", &asked).await;
        assert!(got_through(&error), "{mode}: {error:?}");
        let error = connect(true, "127.0.0.1", &asked).await;
        assert!(!got_through(&error), "{mode}, another name: {error:?}");
        let error = connect(false, "localhost", &asked).await;
        assert!(!got_through(&error), "{mode}, no encryption offered: {error:?}");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{mode}, no encryption offered: {error:?}");
        for parameters in [format!("?ssl-mode={mode}"), format!("?ssl-mode={mode}&{strange}")] {
            let error = connect(true, "localhost", &parameters).await;
            assert!(!got_through(&error), "{parameters}, another authority: {error:?}");
            assert!(error.to_string().contains("certificate"), "{error}");
        }
    }
    for offers_tls in [true, false] {
        for parameters in ["", "?ssl-mode=preferred", "?ssl-mode=disabled"] {
            let error = connect(offers_tls, "127.0.0.1", parameters).await;
            assert!(got_through(&error), "{offers_tls} {parameters}: {error:?}");
        }
    }
}

#[tokio::test]
async fn root_certificates_that_cannot_be_used_are_told() {
    for file in ["/no/such/file.pem", env!("CARGO_MANIFEST_PATH")] {
        let error = connect(true, "localhost", &format!("?ssl-mode=required&ssl-ca={file}")).await;
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
        assert!(error.to_string().contains(file), "{error}");
    }
}
