"""Which port may a program of the local stack listen on?"""

import socket

LOOPBACK = "127.0.0.1"


def free_port(preferred: int | None = None) -> int:
    """
    A TCP port that nothing listened on at 127.0.0.1 a moment ago: the preferred one if it is free.

    The port is not held. Between this answer and its use another process may take it, so whoever
    listens on it must still be asked who it is.
    """
    if preferred is not None and _can_listen(preferred):
        return preferred
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def _can_listen(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Connections in TIME_WAIT do not make a port busy: a server that comes back reuses it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError:
            return False
    return True
