# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import datetime
import grp
import importlib.util
import json
import os
import pwd
import socket
import ssl
import sys
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_FILE = Path(__file__).parents[3] / "roles/vault_agent/files/platform_certificates.py"
_SPEC = importlib.util.spec_from_file_location("platform_certificates", _FILE)
installer = importlib.util.module_from_spec(_SPEC)
sys.modules["platform_certificates"] = installer
_SPEC.loader.exec_module(installer)


def _named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed("authority", self.key.public_key(), 10)

    def _signed(self, name, public_key, days):
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named("authority"))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=20))
            .not_valid_after(now + datetime.timedelta(days=days))
            .sign(self.key, hashes.SHA256())
        )

    def bundle(self, days=5, key=None):
        """Return what the agent would render, in its order: key, certificate, authority."""
        own = ec.generate_private_key(ec.SECP256R1())
        leaf = self._signed("service", own.public_key(), days)
        key_text = (key or own).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        pem = serialization.Encoding.PEM
        parts = [key_text, leaf.public_bytes(pem), self.certificate.public_bytes(pem)]
        return b"".join(parts).decode()


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def item(tmp_path):
    return {
        "name": "service",
        "bundle": str(tmp_path / "bundles" / "service.pem"),
        "owner": pwd.getpwuid(os.getuid()).pw_name,
        "group": grp.getgrgid(os.getgid()).gr_name,
        "certificate": str(tmp_path / "etc" / "server.crt"),
        "private_key": str(tmp_path / "etc" / "server.key"),
        "ca": str(tmp_path / "etc" / "ca.crt"),
        "unit": "service.service",
        "reload": ["true"],
        "probe": {"kind": "none"},
        "timeout": 1,
    }


@pytest.fixture
def configuration(tmp_path, item):
    (tmp_path / "bundles").mkdir()
    return {
        "bundles": str(tmp_path / "bundles"),
        "records": str(tmp_path / "records"),
        "status": str(tmp_path / "status.json"),
        "metrics": str(tmp_path / "metrics.prom"),
        "certificates": [item],
    }


@pytest.fixture
def running(monkeypatch):
    """The service's unit, up unless the test says otherwise; tells how often it was reloaded."""
    state = {"up": True, "reloads": 0, "broken": False}

    def reload(_item):
        state["reloads"] += 1
        if state["broken"]:
            raise installer.CertificateError("the reload failed: told to")

    monkeypatch.setattr(installer, "is_running", lambda _unit: state["up"])
    monkeypatch.setattr(installer, "reload", reload)
    return state


@contextlib.contextmanager
def tls_server(item, *, postgresql=False):
    """Serve the item's files as they are now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(item["certificate"], item["private_key"])
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                raw, _unused = listener.accept()
                with contextlib.suppress(OSError):
                    if postgresql:
                        raw.recv(8)
                        raw.sendall(b"S")
                    context.wrap_socket(raw, server_side=True).close()

    threading.Thread(target=serve, daemon=True).start()
    kind = "postgresql" if postgresql else "tls"
    item["probe"] = {"kind": kind, "port": listener.getsockname()[1]}
    try:
        yield context
    finally:
        listener.close()


def render(item, text):
    Path(item["bundle"]).write_text(text)


def result(configuration):
    return json.loads(Path(configuration["status"]).read_text())["service"]


def test_a_stopped_service_gets_its_files_and_counts_as_done(
    item, configuration, running, authority
):
    running["up"] = False
    render(item, authority.bundle())
    assert installer.run(configuration) == 0
    assert result(configuration)["changed"]
    assert Path(item["private_key"]).stat().st_mode & 0o777 == 0o600
    assert Path(item["certificate"]).read_text().count("BEGIN CERTIFICATE") == 2
    assert Path(item["ca"]).read_text().count("BEGIN CERTIFICATE") == 1
    assert running["reloads"] == 0


def test_a_second_run_changes_and_reloads_nothing(item, configuration, running, authority):
    render(item, authority.bundle())
    installer.run(configuration)
    reloads = running["reloads"]
    before = Path(item["certificate"]).stat().st_mtime_ns
    assert installer.run(configuration) == 0
    assert not result(configuration)["changed"]
    assert (running["reloads"], Path(item["certificate"]).stat().st_mtime_ns) == (reloads, before)


def test_what_is_not_rendered_is_a_failure(configuration, running):
    assert installer.run(configuration) == 1
    assert "not rendered" in result(configuration)["problem"]
    assert 'installed{name="service"} 0' in Path(configuration["metrics"]).read_text()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda authority: authority.bundle(days=-1), "expired"),
        (lambda authority: authority.bundle(key=Authority().key), "does not belong"),
        (lambda _: "nonsense", "can't be read"),
        (lambda authority: authority.bundle().rsplit("-----BEGIN", 1)[0], "lacks the issuing"),
    ],
)
def test_a_bundle_that_does_not_serve_leaves_the_files(
    item, configuration, running, authority, spoil, said
):
    render(item, authority.bundle())
    installer.run(configuration)
    before = Path(item["certificate"]).read_text()
    render(item, spoil(authority))
    assert installer.run(configuration) == 1
    assert said in result(configuration)["problem"]
    assert Path(item["certificate"]).read_text() == before


def test_a_reload_that_fails_is_tried_again(item, configuration, running, authority):
    running["broken"] = True
    render(item, authority.bundle())
    assert installer.run(configuration) == 1
    assert "told to" in result(configuration)["problem"]
    running["broken"] = False
    assert installer.run(configuration) == 0
    assert result(configuration)["changed"]
    assert running["reloads"] == 2


@pytest.mark.parametrize("postgresql", [False, True])
def test_a_service_that_serves_the_old_one_is_reloaded_until_it_does(
    item, configuration, running, authority, monkeypatch, postgresql
):
    running["up"] = False
    render(item, authority.bundle())
    installer.run(configuration)
    running["up"] = True
    with tls_server(item, postgresql=postgresql) as context:
        assert installer.run(configuration) == 0
        assert not result(configuration)["changed"]
        render(item, authority.bundle())
        # It takes no notice of its reload.
        assert installer.run(configuration) == 1
        assert "still serves" in result(configuration)["problem"]
        monkeypatch.setattr(
            installer,
            "reload",
            lambda found: context.load_cert_chain(found["certificate"], found["private_key"]),
        )
        assert installer.run(configuration) == 0
        assert result(configuration)["told"]
        assert installer.run(configuration) == 0
        assert not result(configuration)["changed"]


def test_every_port_has_to_serve_the_new_one(item, configuration, running, authority):
    running["up"] = False
    render(item, authority.bundle())
    installer.run(configuration)
    running["up"] = True
    with tls_server(item, postgresql=False) as first:
        port = item["probe"]["port"]
        with tls_server(item, postgresql=False):
            item["probe"]["further_ports"] = [port]
            render(item, authority.bundle())
            assert installer.run(configuration) == 1
            first.load_cert_chain(item["certificate"], item["private_key"])
            assert installer.run(configuration) == 1
            assert "still serves" in result(configuration)["problem"]


def test_nobody_listening_counts_as_done(item, configuration, running, authority):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    item["probe"] = {"kind": "tls", "port": port}
    render(item, authority.bundle())
    assert installer.run(configuration) == 0
    assert running["reloads"] == 0


def test_a_server_without_tls_is_a_failure(item, configuration, running, authority):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        item["probe"] = {"kind": "postgresql", "port": listener.getsockname()[1]}

        def refuse():
            raw, _unused = listener.accept()
            raw.recv(8)
            raw.sendall(b"N")
            raw.close()

        threading.Thread(target=refuse, daemon=True).start()
        render(item, authority.bundle())
        assert installer.run(configuration) == 1
    assert "does not offer TLS" in result(configuration)["problem"]


def test_a_missing_user_is_said(item, configuration, running, authority):
    item["owner"] = "nobody-of-that-name"
    render(item, authority.bundle())
    assert installer.run(configuration) == 1
    assert "install the service first" in result(configuration)["problem"]


def test_one_file_for_all_is_written(item, configuration, running, authority, tmp_path):
    for key in ("certificate", "private_key", "ca"):
        del item[key]
    item["combined"] = str(tmp_path / "etc" / "all.pem")
    render(item, authority.bundle())
    assert installer.run(configuration) == 0
    text = Path(item["combined"]).read_text()
    assert (text.count("BEGIN CERTIFICATE"), text.count("BEGIN PRIVATE KEY")) == (2, 1)
    assert Path(item["combined"]).stat().st_mode & 0o777 == 0o600


def test_bundles_that_nobody_wants_any_more_are_removed(item, configuration, running, authority):
    render(item, authority.bundle())
    old = Path(configuration["bundles"]) / "old-12345678.pem"
    old.write_text("old")
    installer.run(configuration)
    assert not old.exists()
    assert Path(item["bundle"]).exists()


def test_a_file_that_others_changed_is_put_right(item, configuration, running, authority):
    render(item, authority.bundle())
    installer.run(configuration)
    wanted = Path(item["private_key"]).read_text()
    Path(item["private_key"]).write_text("spoilt")
    Path(item["private_key"]).chmod(0o644)
    assert installer.run(configuration) == 0
    assert Path(item["private_key"]).read_text() == wanted
    assert Path(item["private_key"]).stat().st_mode & 0o777 == 0o600
