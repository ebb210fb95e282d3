# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a vault on loopback addresses for a test, and ends it.

loopback_vault.py start BAO SEAL MEMBERS    starts the servers and prints where they are, as JSON
loopback_vault.py restart BAO DIRECTORY     ends and starts them again, with the data they have
loopback_vault.py stop DIRECTORY            ends them and removes their directory
"""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# A test that is killed must not leave servers behind for ever.
LONGEST = "1800"
CONFIGURATION = """
disable_standby_reads = true
api_addr = "https://{address}:{port}"
cluster_addr = "https://{address}:{cluster_port}"
storage "raft" {{
  path = "{directory}/data"
  node_id = "{address}"
  performance_multiplier = 1
{joins}
}}
listener "tcp" {{
  address = "{address}:{port}"
  cluster_address = "{address}:{cluster_port}"
  tls_cert_file = "{directory}/server.crt"
  tls_key_file = "{directory}/server.key"
}}
"""
JOIN = """  retry_join {{
    leader_api_addr = "https://{address}:{port}"
    leader_ca_cert_file = "{ca}"
  }}
"""
SEAL = """
seal "static" {{
  current_key_id = "test"
  current_key = "file://{directory}/seal.key"
}}
"""


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(name: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=3650))
    )


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def certificates(directory: Path, addresses: list[str]) -> None:
    """Make an authority, and a certificate for each address."""
    root = ec.generate_private_key(ec.SECP384R1())
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(root.public_key())
    certificate = (
        _builder("test root", "test root", root)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .sign(root, hashes.SHA256())
    )
    _write(directory / "ca.crt", certificate.public_bytes(serialization.Encoding.PEM))
    _write(directory / "ca.key", _pem(root))
    for address in addresses:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        leaf = (
            _builder(address, "test root", key)
            .add_extension(names, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
                critical=False,
            )
            .sign(root, hashes.SHA256())
        )
        (directory / address).mkdir()
        _write(directory / address / "server.crt", leaf.public_bytes(serialization.Encoding.PEM))
        _write(directory / address / "server.key", _pem(key))


def _free_ports(addresses: list[str]) -> tuple[int, int]:
    """Return two ports that are free on every address."""
    while True:
        port = secrets.randbelow(20000) + 20000
        try:
            for address in addresses:
                for number in (port, port + 1):
                    with socket.socket() as probe:
                        probe.bind((address, number))
        except OSError:
            continue
        return port, port + 1


def configure(directory: Path, addresses: list[str], seal: str) -> int:
    """Write each member's configuration; return the port of the API."""
    port, cluster_port = _free_ports(addresses)
    _write(directory / "seal.key", secrets.token_bytes(32))
    for address in addresses:
        joins = "".join(
            JOIN.format(address=other, port=port, ca=directory / "ca.crt")
            for other in addresses
            if other != address
        )
        text = CONFIGURATION.format(
            address=address,
            port=port,
            cluster_port=cluster_port,
            directory=directory / address,
            joins=joins,
        )
        if seal == "static":
            text += SEAL.format(directory=directory)
        (directory / address / "data").mkdir()
        (directory / address / "server.hcl").write_text(text)
    return port


def _answers(url: str, ca: Path) -> bool:
    context = ssl.create_default_context(cafile=str(ca))
    # No proxy of the environment may stand between a test and its own server.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        opener.open(f"{url}/v1/sys/seal-status", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def run(bao: str, directory: Path) -> None:
    """Start every member and wait until it answers."""
    about = json.loads((directory / "about.json").read_text())
    for address in about["addresses"]:
        home = directory / address
        with (home / "log").open("ab") as log:
            process = subprocess.Popen(
                ["timeout", LONGEST, bao, "server", f"-config={home}/server.hcl"],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=home,
                start_new_session=True,
            )
        (home / "pid").write_text(str(process.pid))
    deadline = time.monotonic() + 60
    for url in about["urls"]:
        while not _answers(url, directory / "ca.crt"):
            if time.monotonic() > deadline:
                raise SystemExit(f"{url} does not answer; see the logs in {directory}")
            time.sleep(0.1)


def end(directory: Path) -> None:
    """End every member that was started from *directory*."""
    for pid_file in directory.glob("*/pid"):
        group = int(pid_file.read_text())
        pid_file.unlink()
        try:
            os.killpg(group, signal.SIGTERM)
            for _unused in range(100):
                os.killpg(group, 0)
                time.sleep(0.1)
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue


def start(bao: str, seal: str, members: int) -> None:
    """Make a cluster and say where it is."""
    directory = Path(tempfile.mkdtemp(prefix="mcp-platform-vault-"))
    addresses = [f"127.0.0.{number}" for number in range(1, members + 1)]
    certificates(directory, addresses)
    port = configure(directory, addresses, seal)
    about = {
        "directory": str(directory),
        "addresses": addresses,
        "urls": [f"https://{address}:{port}" for address in addresses],
        "ca_path": str(directory / "ca.crt"),
        "ca_key_path": str(directory / "ca.key"),
        "journal_dir": str(directory / "journal"),
    }
    (directory / "about.json").write_text(json.dumps(about))
    run(bao, directory)
    print(json.dumps(about))


def main() -> None:
    command, *rest = sys.argv[1:]
    if command == "start":
        start(rest[0], rest[1], int(rest[2]))
    elif command == "restart":
        end(Path(rest[1]))
        run(rest[0], Path(rest[1]))
    else:
        end(Path(rest[0]))
        shutil.rmtree(rest[0])


if __name__ == "__main__":
    main()
