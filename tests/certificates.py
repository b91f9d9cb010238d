"""Certificates for tests, made by openssl when they are first asked for, and the end of a client that uses them."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from pymodbus.client import AsyncModbusTlsClient

ROLE = "1.3.6.1.4.1.50316.802.1"


class Certificates:
    """Those in a folder; who is not called "authority" is signed by it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str, role: str = "", authority: str = "authority") -> tuple[Path, Path]:
        """Certificate and key of a name. role: its type and text, such as `UTF8String:Viewer`."""
        certificate, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        if not certificate.exists():
            command = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name}"
            more = ["-addext", f"{ROLE}=ASN1:{role}"] if role else []
            if "authority" in name:
                more += ["-addext", "keyUsage=critical,keyCertSign"]  # Python 3.13 asks for it, as RFC 5280, 4.2.1.3, does
            else:
                signer, signing = self(authority)
                more += ["-CA", str(signer), "-CAkey", str(signing), "-addext", "subjectAltName=IP:127.0.0.1"]
                more += ["-addext", "basicConstraints=critical,CA:FALSE"]
            subprocess.run([*command.split(), "-keyout", key, "-out", certificate, *more], check=True, capture_output=True)
        return certificate, key


async def closed(client: AsyncModbusTlsClient) -> None:
    """Close a client and wait for its socket: on TLS both sides say farewell first."""
    sock = client.ctx.transport.get_extra_info("socket")
    client.close()
    async with asyncio.timeout(10.0):
        while sock.fileno() >= 0:
            await asyncio.sleep(0.01)
