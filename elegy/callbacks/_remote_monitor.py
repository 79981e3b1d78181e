"""Send the logs of every epoch to a server."""

import urllib.parse
from collections.abc import Mapping
from typing import Any

from ._callback import Callback
from ._epoch_file import record
from ._json_lines_logger import as_json

_SECONDS = 10.0


class RemoteMonitor(Callback):
    """Posts `epoch`, counted from 0, and every log to a server at the end of each epoch.

    They are one JSON object, either as a field of a form or as the request itself; NaN and infinity, which JSON does
    not have, are `null`. If the server does not answer within ten seconds, or answers with an error, `fit` warns
    once, goes on, and tries again after the next epoch.

    Args:
        root: the server, beginning with `http://` or `https://`.
        path: where on the server.
        field: the form's field that holds the object.
        headers: further headers of the request.
        send_as_json: send the object itself, as `application/json`; `field` is then not used.

    Raises:
        ValueError: `root` is no address of a server.

    Example:
        >>> RemoteMonitor("http://localhost:9000").url
        'http://localhost:9000/publish/epoch/end/'
    """

    is_logger = True

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        if urllib.parse.urlsplit(root).scheme not in ("http", "https"):
            raise ValueError(
                f"RemoteMonitor got `root={root!r}`. It posts to a web server. Begin it with `http://` or `https://`."
            )
        self.url = root + path
        self.field = field
        self.headers = dict(headers or {})
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Send the logs of an epoch."""
        from urllib.request import Request, urlopen  # only here: nobody else needs it

        text, kind = as_json(record(epoch, logs)), "application/json"
        if not self.send_as_json:
            text, kind = urllib.parse.urlencode({self.field: text}), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, **self.headers}
        request = Request(self.url, text.encode(), headers, method="POST")
        with urlopen(request, timeout=_SECONDS) as answer:
            answer.read()
