"""Receive webhooks: verify the signature, drop repeated events, answer before working.

Usage: webhook_receiver.py [PORT] Then submit jobs with `"webhook": {"url":
"http://127.0.0.1:PORT/"}`.
"""

import contextlib
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import genq

DATA_DIR = Path(os.environ.get("GENQ_DATA_DIR", ".genq"))
SECRET = json.loads((DATA_DIR / "client.json").read_text())["webhook_secret"]
PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 9999

#: Ids of events that were handled. A real receiver keeps them in its database.
handled: set[str] = set()


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to events that genq signed, and 401 to all other requests."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            event = genq.verify_webhook(body, dict(self.headers.items()), SECRET)
        except genq.UnverifiedWebhook:
            self.respond(401)
            return
        self.respond(204)
        if event.id not in handled:
            handled.add(event.id)
            print(f"{event.type} {event.data['id']}", flush=True)

    def respond(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the program prints events only."""


with ThreadingHTTPServer(("127.0.0.1", PORT), Receiver) as server:
    print(f"listening on http://127.0.0.1:{PORT}/", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
