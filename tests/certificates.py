"""Certificates of an authority that only its test trusts, made on the spot."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Authority:
    def __init__(self, folder: Path, name: str = "an authority of tests") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        builder = _certificate(self._name, issuer=self._name, ends=datetime.now(UTC) + DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self._own = builder.public_key(self._key.public_key()).sign(self._key, hashes.SHA256())

    def trusted(self) -> ssl.SSLContext:
        """As a client has it that trusts this authority and no other."""
        pem = self._own.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)

    def serving(self, host: str = "127.0.0.1", *, ends: datetime | None = None) -> ssl.SSLContext:
        """As the server at `host` has it. The certificate ends in a day where nothing else is said."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _certificate(_named(host), issuer=self._name, ends=ends or datetime.now(UTC) + DAY)
        builder = builder.add_extension(_for(host), critical=False)
        certificate = builder.public_key(key.public_key()).sign(self._key, hashes.SHA256())
        file = self._folder / f"{certificate.serial_number:x}.pem"
        file.write_bytes(_pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _for(host: str) -> x509.SubjectAlternativeName:
    try:
        return x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
    except ValueError:
        return x509.SubjectAlternativeName([x509.DNSName(host)])


def _certificate(subject: x509.Name, *, issuer: x509.Name, ends: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - 2 * DAY)
        .not_valid_after(ends)
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
