"""A name server on this machine that answers from a table, and falls silent when it is told."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class Zone:
    """What it answers: `zone.add("example.org", "TXT", '"v=spf1 -all"')`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.records: dict[tuple[str, str], list[str]] = {}
        self.questions: list[str] = []
        self.is_silent = False

    def add(self, name: str, kind: str, *values: str) -> None:
        self.records.setdefault((name.lower() + ".", kind), []).extend(values)

    def add_text(self, name: str, value: str) -> None:
        pieces = [value[start : start + 200] for start in range(0, len(value), 200)]
        self.add(name, "TXT", " ".join(f'"{piece}"' for piece in pieces or [""]))

    def answer(self, wire: bytes) -> bytes | None:
        query = dns.message.from_wire(wire)
        [question] = query.question
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        self.questions.append(f"{name} {kind}")
        if self.is_silent:
            return None
        response = dns.message.make_response(query)
        if values := self.records.get((name, kind)):
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *values))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()


@contextmanager
def run_dns_server() -> Iterator[Zone]:
    """One on a free port of this machine, as long as the block runs."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, socket = self.request
            if (answer := zone.answer(data)) is not None:
                socket.sendto(answer, self.client_address)

    with socketserver.UDPServer(("127.0.0.1", 0), Handler) as server:
        address: Any = server.server_address
        zone = Zone(address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield zone
        server.shutdown()
        thread.join()
