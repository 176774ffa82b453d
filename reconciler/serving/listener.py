"""The socket that asyncio accepts from: it lets in only whom `Connections` admits."""

import errno
import socket
import time
from typing import Any, Final

from reconciler.serving.connections import Connections

_STARVED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Listening(socket.socket):
    """A listening socket that lets in only whom `connections` admits, and is never out of descriptors for long."""

    connections: Connections | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        """As asyncio calls it, which logs each failure many times over and would take every descriptor there is."""
        while True:
            try:
                accepted, peer = super().accept()
            except OSError as error:
                if error.errno not in _STARVED or self.connections is None:
                    raise
                self.connections.starved()
                time.sleep(0.05)  # the port stays readable: without a pause this would be asked again at once
                raise BlockingIOError from error
            if self.connections is None or self.connections.admit(accepted):
                return accepted, peer
            accepted.close()
