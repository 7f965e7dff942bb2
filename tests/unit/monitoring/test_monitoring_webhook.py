"""The webhook: what is sent, where to, and that nothing that goes wrong matters or tells the address."""

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from snaketorch.monitoring.webhook import send

SECRET = "s3cret-token"


@pytest.fixture
def receiver():
    """A server on loopback; ``received`` are the bodies, ``answer`` its status."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.received.append((self.path, self.headers["Content-Type"], json.loads(body)))
            self.send_response(server.answer)
            self.send_header("Location", "http://192.0.2.1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.received, server.answer = [], 204
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_alert_is_posted_as_json_past_any_proxy(receiver, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:3128")
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:{receiver.server_port}/{SECRET}")

    assert send("HOOK", {"alert": True, "reasons": ["x"]}) == "sent"
    assert receiver.received == [(f"/{SECRET}", "application/json", {"alert": True, "reasons": ["x"]})]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_that_is_no_success_is_a_warning(status, receiver, monkeypatch, caplog):
    receiver.answer = status
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:{receiver.server_port}/{SECRET}")

    assert send("HOOK", {"alert": True}) == "failed"
    assert str(status) in caplog.text
    assert SECRET not in caplog.text
    assert len(receiver.received) == 1, "followed to no other address"


@pytest.mark.parametrize(
    "address",
    [
        f"http://example.org/{SECRET}",
        f"http://10.0.0.1/{SECRET}",
        f"http://127.0.0.1.example.org/{SECRET}",
        f"http://user@example.org:80/{SECRET}#@127.0.0.1",
        f"ftp://127.0.0.1/{SECRET}",
        f"file:///etc/{SECRET}",
        f"https:///{SECRET}",
        f"http://[::1/{SECRET}",
        f"http://127.0.0.1:x/{SECRET}",
        SECRET,
    ],
)
def test_only_https_and_this_machine_are_addresses(address, monkeypatch, caplog):
    monkeypatch.setenv("HOOK", address)

    assert send("HOOK", {"alert": True}) == "address not allowed"
    assert SECRET not in caplog.text


def test_nobody_listening_is_a_warning_without_the_address(receiver, monkeypatch, caplog):
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:1/{SECRET}")

    assert send("HOOK", {"alert": True}) == "failed"
    assert "HOOK" in caplog.text
    assert SECRET not in caplog.text
    assert "127.0.0.1" not in caplog.text


def test_an_address_with_a_line_break_is_a_warning_without_the_address(monkeypatch, caplog):
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:9/{SECRET}\r\nX: y z")

    assert send("HOOK", {"alert": True}) == "failed"
    assert SECRET not in caplog.text


def test_no_address_is_a_warning(monkeypatch, caplog):
    monkeypatch.delenv("HOOK", raising=False)

    assert send("HOOK", {"alert": True}) == "no address"
    assert "HOOK" in caplog.text
