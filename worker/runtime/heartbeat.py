"""The heartbeat file: the ticker touches it, and a health check reads its age.

It is in the temporary folder, because nothing else is writable in a container.
"""

import contextlib
import hashlib
import re
import tempfile
from pathlib import Path

from generation.settings import Settings

#: User and password of a URL. They are not part of the file's name, from which they could be
#: guessed.
CREDENTIALS = re.compile(r"//[^/]*@")


def path(settings: Settings) -> Path:
    """Return the file of the workers of this deployment on this machine."""
    places = CREDENTIALS.sub("//", f"{settings.store_url} {settings.redis_url}")
    name = hashlib.sha256(places.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"genq-worker-{name}.alive"


def beat(settings: Settings) -> None:
    """Record that a tick was completed now. Never fails."""
    with contextlib.suppress(OSError):
        path(settings).touch()
