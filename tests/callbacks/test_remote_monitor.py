"""Tests of `RemoteMonitor` against a server of our own."""

import http.server
import json
import threading
import urllib.parse

import pytest

import elegy
from elegy.callbacks import RemoteMonitor


@pytest.fixture
def server(monkeypatch):
    """A server that keeps what is posted to it, and answers with its `status`."""
    monkeypatch.setenv("no_proxy", "*")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.server.posts.append((self.path, dict(self.headers), body))
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *args): ...

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as made:
        made.posts, made.status, made.root = [], 200, f"http://127.0.0.1:{made.server_port}"
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def fit(rows, callback, epochs=2):
    model = elegy.Model(elegy.nn.Linear(1), loss="mse", optimizer="sgd")
    return model.fit(rows, rows[:, :1], epochs=epochs, callbacks=callback, verbose=0).history


def test_each_epoch_is_posted_as_a_field_of_a_form(rows, server):
    history = fit(rows, RemoteMonitor(server.root))
    path, headers, body = server.posts[1]
    sent = json.loads(urllib.parse.parse_qs(body)["data"][0])
    assert path == "/publish/epoch/end/" and headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert sent == {"epoch": 1, **{name: values[1] for name, values in history.items()}}


def test_it_may_be_the_request_itself_with_headers(server):
    headers = {"X-Key": "secret"}
    callback = RemoteMonitor(server.root, "/here", headers=headers, send_as_json=True)
    callback.on_epoch_end(0, {"loss": float("nan")})
    path, sent_headers, body = server.posts[0]
    assert (path, body) == ("/here", '{"epoch": 0, "loss": null}') and headers == {"X-Key": "secret"}
    assert (sent_headers["Content-Type"], sent_headers["X-Key"]) == ("application/json", "secret")


def test_an_error_of_the_server_is_one_warning_and_the_next_epoch_is_tried(rows, server):
    server.status = 503
    with pytest.warns(UserWarning, match="`on_epoch_end` of callback `RemoteMonitor` failed: HTTPError.*503") as warned:
        assert len(fit(rows, RemoteMonitor(server.root), epochs=3)["loss"]) == 3
    assert len(warned) == 1 and len(server.posts) == 3


def test_a_server_that_is_not_there_ends_nothing(rows, server):
    server.server_close()
    with pytest.warns(UserWarning, match="RemoteMonitor` failed: URLError.*refused"):
        assert len(fit(rows, RemoteMonitor(server.root))["loss"]) == 2


@pytest.mark.parametrize("root", ["localhost:9000", "file:///etc", "127.0.0.1"])
def test_what_is_no_web_server_is_an_error(root):
    with pytest.raises(ValueError, match=r"It posts to a web server\. Begin it with"):
        RemoteMonitor(root)
