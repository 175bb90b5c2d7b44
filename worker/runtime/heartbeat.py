"""
A sign of life on disk: the ticker touches a file, and a health check looks how old it is. In the
temporary folder, because in a container nothing else can be written.
"""

import contextlib
import hashlib
import re
import tempfile
from pathlib import Path

from generation.settings import Settings

#: User and password of a URL. They are no part of the file's name, from which one could guess.
CREDENTIALS = re.compile(r"//[^/]*@")


def path(settings: Settings) -> Path:
    """The file of the workers of this deployment on this machine."""
    places = CREDENTIALS.sub("//", f"{settings.store_url} {settings.redis_url}")
    name = hashlib.sha256(places.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"genq-worker-{name}.alive"


def beat(settings: Settings) -> None:
    """Note that a tick was completed now. Never fails: a health check is not worth a worker."""
    with contextlib.suppress(OSError):
        path(settings).touch()
