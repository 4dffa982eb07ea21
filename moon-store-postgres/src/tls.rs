//! TLS, always by rustls.

use std::sync::Arc;

use moon_core::{Error, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::url::{Encryption, Target};

/// The connector that a target asks for.
pub(crate) fn connector(target: &Target) -> Result<MakeRustlsConnect> {
    let provider = CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    let fail = |cause: rustls::Error| Error::invalid("TLS cannot be set up").caused_by(cause);
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(fail)?;
    let config = match target.encryption {
        Encryption::Required => builder.with_root_certificates(roots(target)?).with_no_client_auth(),
        Encryption::Disabled | Encryption::Preferred => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Unchecked(provider))).with_no_client_auth()
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

/// The certificates that are trusted: those of a file, else those of the machine.
fn roots(target: &Target) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let Some(file) = &target.root_certificates else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err(Error::invalid("the machine has no root certificates; name a file of them by sslrootcert"));
        }
        return Ok(roots);
    };
    let fail = |cause: rustls::pki_types::pem::Error| {
        Error::invalid("root certificates cannot be read").with("sslrootcert", file.display()).caused_by(cause)
    };
    for certificate in CertificateDer::pem_file_iter(file).map_err(fail)? {
        roots.add(certificate.map_err(fail)?).map_err(|cause| {
            Error::invalid("root certificate cannot be used").with("sslrootcert", file.display()).caused_by(cause)
        })?;
    }
    if roots.is_empty() {
        return Err(Error::invalid("the file of root certificates holds none").with("sslrootcert", file.display()));
    }
    Ok(roots)
}

/// Encrypts without looking at the certificate: for `sslmode=prefer`, which would go on without any encryption too, so that
/// a check would protect nobody.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
