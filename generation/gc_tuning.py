"""
How often a long-lived process searches its memory for garbage.
"""

import gc

#: Objects made and not yet freed before the youngest are searched. Thousands of exchanges at once
#: keep more than Python's own 700 alive all the time, so that it would search several times per
#: hundred requests and find nothing: what a request leaves behind is freed without a search.
YOUNG = 50_000


def ease() -> None:
    """
    To be called before anything is loaded: nearly all of it stays, and to search it over and over
    meanwhile takes an eighth of the time.
    """
    gc.set_threshold(YOUNG, 20, 20)


def settle() -> None:
    """
    To be called once everything is loaded: what lives until the end of the process is not searched
    again, and the rest more rarely.
    """
    gc.collect()
    gc.freeze()
    ease()
