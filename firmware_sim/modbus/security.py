"""Modbus/TCP Security: TLS with certificates on both sides, and what the role in a client's certificate lets it do.

MODBUS/TCP Security Protocol Specification, MB-TCP-Security-v36 (2021-07-30).
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

READS = frozenset((1, 2, 3, 4, 43))
WRITES = frozenset((5, 6, 15, 16, 22))
READS_AND_WRITES = frozenset((23,))

# 1.3.6.1.4.1.50316.802.1 as DER (section 8.5, R-22): the value is a UTF8String.
_ROLE = bytes.fromhex("2b0601040183890c862201")
_SEQUENCE, _OID, _OCTETS, _UTF8, _EXTENSIONS = 0x30, 0x06, 0x04, 0x0C, 0xA3


@dataclass(frozen=True, slots=True)
class Rights:
    """What a role may do."""

    read: bool = True
    write: bool = False

    @property
    def functions(self) -> frozenset[int]:
        """Codes that are open to it."""
        reads = READS if self.read else frozenset()
        writes = WRITES if self.write else frozenset()
        return reads | writes | (READS_AND_WRITES if self.read and self.write else frozenset())


@dataclass(frozen=True)
class Security:
    """Who is let in, and what each may do.

    certificate, key: the server's own, PEM; the chain may follow the certificate. clients: certificates of the authorities
    that vouch for clients. roles: rights by role, None being that of a certificate without one; other roles may do nothing,
    and are answered with exception 01.
    """

    certificate: Path
    key: Path
    clients: Path
    roles: Mapping[str | None, Rights]

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or later, and no client without a certificate. Raises OSError for files that cannot be read or used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        context.load_verify_locations(self.clients)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def functions_of(self, connection: ssl.SSLObject) -> frozenset[int]:
        """Function codes that are open to the client of a connection."""
        certificate = connection.getpeercert(binary_form=True)
        role = None if certificate is None else role_of(certificate)
        return self.roles.get(role, Rights(read=False)).functions


def role_of(certificate: bytes) -> str | None:
    """Role in a certificate (DER), the first if there are several (R-65); None where there is none, or it is no UTF8String.

    Raises ValueError for what is no certificate; TLS lets none pass.
    """
    ((_, signed),) = _parts(certificate)
    _, content = next(_parts(signed))
    for tag, part in _parts(content):
        if tag == _EXTENSIONS:
            ((_, listed),) = _parts(part)
            for _, extension in _parts(listed):
                (named, name), *_, (_, value) = _parts(extension)
                if (named, name) == (_OID, _ROLE):
                    return _text(value)
    return None


def _text(value: bytes) -> str | None:
    try:
        ((tag, text),) = _parts(value)
        return text.decode() if tag == _UTF8 else None
    except ValueError:
        return None


def _parts(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Tags and contents of the DER values that follow one another."""
    at = 0
    while at < len(content):
        if at + 2 > len(content):
            raise ValueError("a DER value without a length")
        tag, length, at = content[at], content[at + 1], at + 2
        if length >= 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(content[at : at + size], "big"), at + size
        if at + length > len(content):
            raise ValueError("a DER value that is longer than what holds it")
        yield tag, content[at : at + length]
        at += length
