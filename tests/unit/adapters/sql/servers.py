"""SQL servers that go wrong before anybody is in: a certificate to choose, TLS or none, and a record of every LOGIN7."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.tds import tokens
from holdfast.sandbox.tds.login import LoginRequest
from holdfast.sandbox.tds.session import TdsSession


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@dataclass
class Authority:
    """A certificate authority for one test."""

    folder: Path
    name: str = "test CA"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def _certificate(
        self, subject: str, key, names: list[x509.GeneralName], *, is_ca: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_named(subject))
            .issuer_name(_named(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, SHA256())

    @property
    def ca_file(self) -> str:
        """Its own certificate as a file."""
        path = self.folder / f"{self.name}.pem"
        path.write_bytes(self._certificate(self.name, self.key, [], is_ca=True).public_bytes(Encoding.PEM))
        return str(path)

    def certificate(self, *names: str, common_name: str = "whatever") -> x509.Certificate:
        """For these subject alternative names, its key thrown away."""
        return self._certificate(common_name, self.key, list(map(_general, names)), is_ca=False)

    def server_file(self, *names: str, common_name: str = "whatever") -> Path:
        """A server's certificate with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(common_name, key, list(map(_general, names)), is_ca=False)
        path = self.folder / "server.pem"
        path.write_bytes(
            certificate.public_bytes(Encoding.PEM)
            + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return path


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass
class Recorded:
    """What a server saw.

    Attributes:
        bytes_in_clear: what came before TLS, or without it.
    """

    port: int
    logins: list[LoginRequest] = field(default_factory=list)
    in_clear: bytearray = field(default_factory=bytearray)


@contextmanager
def serving(server_file: Path | None, error: SqlError | None = None) -> Iterator[Recorded]:
    """A server on loopback; every login is refused, with `error` or 18456. Without a file it knows no TLS."""
    context = None
    if server_file is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(server_file)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        recorded = Recorded(listener.getsockname()[1])
        thread = threading.Thread(target=_accept, args=(listener, context, recorded, error), daemon=True)
        thread.start()
        yield recorded
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _accept(listener, context, recorded: Recorded, error: SqlError | None) -> None:
    while True:
        try:
            line, _ = listener.accept()
        except OSError:
            return
        with line:
            _talk(
                line, TdsSession(context), recorded, error or SqlError(18456, "Login failed for user ''.", 14)
            )


def _talk(line: socket.socket, session: TdsSession, recorded: Recorded, error: SqlError) -> None:
    line.settimeout(5)
    while session.state is not session.state.CLOSED:
        try:
            received = line.recv(65536)
        except OSError:
            return
        if session._tls is None:
            recorded.in_clear += received
        session.receive(received)
        while (event := session.next_event()) is not None:
            assert isinstance(event, LoginRequest)
            recorded.logins.append(event)
            session.refuse(tokens.error(error))
        line.sendall(session.outgoing())
