"""A local server that speaks the Messages API: it streams what a script says, and fails as the script says.

It checks requests as the real one does, so that a conversation that it accepts is one that the real one would.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-ant-test-0123456789abcdef"
SIGNATURE = "signed-by-the-test-server"
MODEL = {
    "id": "claude-opus-5-5",
    "type": "model",
    "display_name": "Claude Opus 5.5",
    "created_at": "2026-09-01T00:00:00Z",
    "lifecycle": "active",
    "max_tokens": 128_000,
    "max_input_tokens": 1_000_000,
    "capabilities": {
        "thinking": {
            "supported": True,
            "types": {name: {"supported": name == "adaptive"} for name in ("adaptive", "enabled", "disabled")},
        },
        "effort": {"supported": True},
    },
}


class MessagesServer(ThreadingHTTPServer):
    """Answers request after request with the next turn of a script."""

    daemon_threads = True

    def __init__(self, turns: list[dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.turns = list(turns)
        self.requests: list[dict[str, Any]] = []
        """Bodies of the requests for messages, in their order."""
        self.refused: list[str] = []
        """What was wrong with requests."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(turns: list[dict[str, Any]]):
    """The server, running."""
    server = MessagesServer(turns)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    server: MessagesServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2].partition("?")[0]
        if not self._known():
            return
        if name == MODEL["id"]:
            self._json(200, MODEL)
        elif name == "models":
            self._json(200, {"data": [MODEL], "has_more": False, "first_id": None, "last_id": None})
        else:
            self._error(404, "not_found_error", f"model: {name}")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._known():
            return
        problem = wrong_with(body)
        if problem:
            self.server.refused.append(problem)
            self._error(400, "invalid_request_error", problem)
            return
        self.server.requests.append(body)
        if not self.server.turns:
            self.server.refused.append("a request that the script does not expect")
            self._error(400, "invalid_request_error", "the script is at its end")
            return
        turn = self.server.turns.pop(0)
        if "status" in turn:
            self._error(turn["status"], turn["error"], turn.get("message", "told by the script"), retry_after=0.01)
        else:
            with suppress(BrokenPipeError, ConnectionResetError):  # whoever asked has stopped listening
                self._stream(turn, body)

    def _known(self) -> bool:
        if KEY not in (
            self.headers.get("x-api-key"),
            (self.headers.get("Authorization") or "").removeprefix("Bearer "),
        ):
            self._error(401, "authentication_error", "invalid key")
            return False
        return True

    def _stream(self, turn: dict[str, Any], body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        events = events_of(turn, len(self.server.requests), body)
        for number, event in enumerate(events):
            if number == turn.get("cut_after"):
                # As a proxy that dies: no last chunk, no end of the message.
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            if number == turn.get("error_after"):
                error = {"type": "overloaded_error", "message": "Overloaded"}
                self._event("error", {"type": "error", "error": error})
                break
            time.sleep(turn.get("pause", 0))
            self._event(event["type"], event)
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, name: str, document: dict[str, Any]) -> None:
        data = f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _error(self, status: int, kind: str, message: str, *, retry_after: float | None = None) -> None:
        document = {"type": "error", "error": {"type": kind, "message": message}}
        self._json(status, document, {"retry-after-ms": str(retry_after * 1000)} if retry_after else {})

    def _json(self, status: int, document: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def events_of(turn: dict[str, Any], number: int, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of one message, as the API streams them."""
    usage = {
        "input_tokens": 100,
        "output_tokens": 1,
        "cache_read_input_tokens": 2000,
        "cache_creation_input_tokens": 50,
    }
    usage.update(turn.get("usage", {}))
    message = {
        **{"id": f"msg_{number}", "type": "message", "role": "assistant", "model": body["model"], "content": []},
        **{"stop_reason": None, "stop_sequence": None, "usage": usage},
    }
    events: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
    for index, block in enumerate(turn["reply"]):
        events += [{**event, "index": index} for event in block_events(block, f"{number}_{index}")]
    uses = any("tool" in block for block in turn["reply"])
    stop = turn.get("stop", "tool_use" if uses else "end_turn")
    delta = {"stop_reason": stop, "stop_sequence": None}
    events.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": turn.get("output_tokens", 40)}})
    return [*events, {"type": "message_stop"}]


def block_events(block: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Begin, pieces and end of a content block."""
    if "text" in block:
        begin: dict[str, Any] = {"type": "text", "text": ""}
        text = block["text"]
        deltas = [{"type": "text_delta", "text": text[i : i + 20]} for i in range(0, len(text), 20)]
    elif "thinking" in block:
        begin = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [
            {"type": "thinking_delta", "thinking": block["thinking"]},
            {"type": "signature_delta", "signature": SIGNATURE},
        ]
    else:
        begin = {"type": "tool_use", "id": f"toolu_{name}", "name": block["tool"], "input": {}}
        text = block["raw"] if "raw" in block else json.dumps(block.get("input", {}))
        deltas = [{"type": "input_json_delta", "partial_json": text[i : i + 15]} for i in range(0, len(text), 15)]
    return [
        {"type": "content_block_start", "content_block": begin},
        *({"type": "content_block_delta", "delta": delta} for delta in deltas),
        {"type": "content_block_stop"},
    ]


def wrong_with(body: dict[str, Any]) -> str | None:
    """What the real API would refuse in a request; None where it is fine."""
    messages = body.get("messages") or []
    if not messages or messages[0]["role"] != "user":
        return "messages: the first message must be the user's"
    if body.get("max_tokens", 0) < 1:
        return "max_tokens: required"
    marks = json.dumps(body).count('"cache_control"')
    if marks > 4:
        return f"a maximum of 4 blocks with cache_control may be provided, found {marks}"
    waiting: list[str] = []
    for position, message in enumerate(messages):
        blocks = message["content"]
        if not blocks:
            return f"messages.{position}: content must not be empty"
        if position and messages[position - 1]["role"] == message["role"]:
            return f"messages.{position}: two messages of one role in a row"
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if sorted(results) != sorted(waiting):
            return f"messages.{position}: tool_use ids {waiting} were followed by results {results}"
        waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        for block in blocks:
            if block["type"] == "text" and not block["text"].strip():
                return f"messages.{position}: text content blocks must contain non-whitespace text"
            if block["type"] == "thinking" and block["signature"] != SIGNATURE:
                return f"messages.{position}: invalid signature in a thinking block"
            unknown = set(block) - FIELDS[block["type"]]
            if unknown:
                return f"messages.{position}: {unknown} are not permitted in a {block['type']} block"
    if waiting:
        return "the last message uses tools"
    names = [tool["name"] for tool in body.get("tools", [])]
    if len(set(names)) != len(names) or any(tool["input_schema"].get("type") != "object" for tool in body["tools"]):
        return "tools: names must be unique and input_schema an object"
    return None


FIELDS = {
    "text": {"type", "text", "cache_control"},
    "thinking": {"type", "thinking", "signature"},
    "tool_use": {"type", "id", "name", "input", "cache_control"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control"},
}
