"""Settings of Python's garbage collector for long-lived processes."""

import gc

#: Allocations before the youngest generation is searched. Thousands of concurrent exchanges keep
#: more than Python's default of 700 objects alive, so it would search several times per hundred
#: requests and find nothing: objects of a request are freed by reference counting.
YOUNG = 50_000


def ease() -> None:
    """Call this before modules are loaded.

    Nearly all of their objects stay alive, and searching them repeatedly takes an eighth of the
    load time.
    """
    gc.set_threshold(YOUNG, 20, 20)


def settle() -> None:
    """Call this after modules are loaded.

    Objects that live until the process ends are not searched again, and others less often.
    """
    gc.collect()
    gc.freeze()
    ease()
