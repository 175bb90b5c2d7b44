"""Suno: songs, words for songs, and what can be made from them.

`commands` lists the orders and `request` what each may hold; `family` and `official` are the
dialects, with `bodies` for what they send. `reply` reads every answer of all of them: `complaints`
and `faults` for the bad news, `found`, `tasks`, `clips` and `products` for the rest.
"""

from generation.providers.suno.operations import OPERATIONS as OPERATIONS
