"""The open connections of one port: who is let in, who is closed to make room, and who has waited too long.

    accept ─ full? close at once ─ crowded? close the one that has waited longest for its client ─ Connection ─ Door

Nothing here waits for a client without a deadline. uvicorn has one for the pause between two requests and none for a head, a
body or an answer that comes byte by byte, and its limit of concurrency answers 503 and keeps the connection; hence this layer.
"""

import asyncio
import logging
import socket
from enum import Enum
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.serving.limits import Limits
from reconciler.serving.tally import Tally, Trouble

EVERY_S: Final = 1.0  # from one look at the deadlines to the next
_LITTLE: Final = 65_536  # bytes of a body for which nobody has to give way
_log: Final = logging.getLogger(__name__)


class Stage(Enum):
    """What a connection waits for: its client in all of them but WORK."""

    HEAD = "head"
    BODY = "body"
    IDLE = "idle"
    ANSWER = "answer"  # the client does not read it
    WORK = "work"


class Connections:
    """Of one port. Used on the thread of its event loop only."""

    def __init__(self, limits: Limits, tally: Tally) -> None:
        self.limits = limits
        self.tally = tally
        self._sockets: dict[int, socket.socket] = {}  # by descriptor, from accept to close
        self._made: set[Connection] = set()
        self._waiting: dict[str, dict[Connection, None]] = {}  # by the client's address, who waits longest first
        self._leaving = 0

    def admit(self, accepted: socket.socket) -> bool:
        """Whether the new connection may stay; makes room for it where there is little."""
        if len(self._sockets) >= self.limits.burst:
            self._forget_closed()
        if len(self._sockets) >= self.limits.burst:
            self.tally.note(Trouble.CROWDED)
            return False
        if len(self._sockets) - self._leaving >= self.limits.connections and self.make_room():
            self.tally.note(Trouble.CROWDED)
        self._sockets[accepted.fileno()] = accepted
        return True

    def make_room(self) -> bool:
        """Close the one that has waited longest for its client, of the address with most of them; whether there was one."""
        crowd = max(self._waiting.values(), key=len, default=None)
        if crowd is None:
            return False
        next(iter(crowd)).leave()
        return True

    def make_place(self) -> None:
        """Close the one that has left its answer unread longest."""
        unread = [each for each in self._made if each.flow.write_paused and not each.leaving]
        if unread:
            min(unread, key=lambda each: each.unread_since).leave()

    def held(self) -> None:
        """More is held of bodies and answers than before: close those that hold most where it is too much."""
        most = sorted(self._made, key=lambda each: each.held)
        total = sum(each.held for each in most)
        while total > self.limits.held_bytes and most:
            total -= most[-1].held
            self.tally.note(Trouble.CROWDED)
            most.pop().leave()

    def starved(self) -> None:
        """The process has no descriptor left: give some back to whoever needs one."""
        self.tally.note(Trouble.STARVED)
        for _ in range(self.limits.connections // 4):
            self.make_room()

    def made(self, connection: "Connection") -> None:
        self._made.add(connection)

    def lost(self, connection: "Connection") -> None:
        self._made.discard(connection)
        self.works(connection)
        self._leaving -= connection.leaving
        self._sockets.pop(connection.descriptor, None)

    def waits(self, connection: "Connection") -> None:
        """It waits for its client, for as long as it did already."""
        self._waiting.setdefault(connection.peer, {}).setdefault(connection)

    def works(self, connection: "Connection") -> None:
        """It does not wait for its client."""
        crowd = self._waiting.get(connection.peer, {})
        crowd.pop(connection, None)
        if not crowd:
            self._waiting.pop(connection.peer, None)

    def leaves(self, connection: "Connection") -> None:
        """It is being closed, and its descriptor is free in a moment."""
        self.works(connection)
        self._leaving += 1

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close who is late, again and again for as long as the loop runs."""
        now = loop.time()
        for connection in tuple(self._made):
            if connection.is_late(now):
                self.tally.note(Trouble.LATE)
                connection.leave()
        self._forget_closed()
        loop.call_later(EVERY_S, self.watch, loop)

    def close(self) -> None:
        """The port is closed: nobody is waited for any more. What is being worked on is finished."""
        for crowd in tuple(self._waiting.values()):
            for connection in tuple(crowd):
                connection.leave()

    def _forget_closed(self) -> None:
        self._sockets = {at: each for at, each in self._sockets.items() if each.fileno() == at}


class Connection(H11Protocol):
    """uvicorn's connection, which tells `Connections` when it waits for its client, and for how long."""

    def __init__(self, connections: Connections, **given: Any) -> None:
        super().__init__(**given)
        self.logger = _Log(connections.tally)
        self.peer = ""
        self.descriptor = -1
        self.leaving = False
        self._connections = connections
        self._answered = 0
        self._body_bytes = 0
        self._stage = (Stage.HEAD, 0)
        self._unread = 0  # bytes, when its stage began
        self.unread_since = 0.0
        self._since = self.loop.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self.descriptor = transport.get_extra_info("socket").fileno()
        self.peer = self.client[0] if self.client else ""
        self._connections.made(self)
        self._settle()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.lost(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.leaving:
            return
        if self.conn.their_state is h11.SEND_BODY:
            self._body_bytes += len(data)
            if self._body_bytes > 2 * self._connections.limits.body_bytes:  # chunks may take as much as what is in them
                self._connections.tally.note(Trouble.TOO_LARGE)
                self.leave()
                return
            if self._body_bytes > _LITTLE:
                self._connections.held()
        super().data_received(data)
        self._settle()

    def on_response_complete(self) -> None:
        self._answered += 1
        super().on_response_complete()
        self._settle()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.unread_since = self.loop.time()
        self._connections.held()
        self._settle()

    @property
    def held(self) -> int:
        """Bytes that are kept for its client, and of it."""
        return 0 if self.leaving else self._body_bytes + self.transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._settle()

    def send_400_response(self, msg: str) -> None:
        """Of bytes that are no HTTP. Where an answer has begun there is no place for another."""
        self._connections.tally.note(Trouble.MALFORMED)
        self._hang_up()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.leave()

    def leave(self) -> None:
        """Close it at once, whatever is unsent."""
        if not self.leaving and not self.transport.is_closing():
            self.leaving = True
            self._connections.leaves(self)
        self._hang_up()
        self.transport.abort()

    def _hang_up(self) -> None:
        """Tell the application now that its client is gone, which would else answer a connection that takes no answer."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def is_late(self, now: float) -> bool:
        """Whether its client has been waited for longer than allowed."""
        stage = (self._look(), self._answered)
        unread = self.transport.get_write_buffer_size()
        if stage != self._stage:
            self._stage, self._since, self._unread = stage, now, unread
        limits, spent_s = self._connections.limits, now - self._since
        if stage[0] is Stage.ANSWER and self._unread - unread > spent_s * limits.answer_bytes_per_s:
            return False  # it reads, and not too slowly
        allowed = {
            Stage.HEAD: limits.head_s, Stage.BODY: limits.body_s, Stage.IDLE: limits.idle_s, Stage.ANSWER: limits.answer_s,
        }.get(stage[0])  # fmt: skip
        return allowed is not None and spent_s > allowed

    def _look(self) -> Stage:
        if self.transport.get_write_buffer_size():
            return Stage.ANSWER
        if self.conn.their_state is h11.SEND_BODY:
            return Stage.BODY
        if self.conn.our_state is h11.IDLE:
            return Stage.IDLE if self._answered and not self.conn.trailing_data[0] else Stage.HEAD
        return Stage.WORK

    def _settle(self) -> None:
        if self.leaving:
            return
        if self.conn.our_state is h11.IDLE:
            self._body_bytes = 0
        answering = self.conn.our_state in (h11.SEND_RESPONSE, h11.SEND_BODY)
        if answering and self.conn.their_state is not h11.SEND_BODY and not self.flow.write_paused:
            self._connections.works(self)
        else:
            self._connections.waits(self)


class _Log(logging.Logger):
    """What uvicorn would log of one request, which is the client's doing but for an exception of ours."""

    def __init__(self, tally: Tally) -> None:
        super().__init__("uvicorn", logging.ERROR)
        self._tally = tally

    def handle(self, record: logging.LogRecord) -> None:
        failed = record.exc_info[1] if record.exc_info else None
        if failed is not None and self._tally.note(Trouble.DEFECT, type(failed).__name__):
            _log.error("a request met a defect", exc_info=failed)
