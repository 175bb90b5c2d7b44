"""
Kling: videos, pictures and sounds.

`operations` lists the orders, `request` says what each may hold, `reply` reads every answer of the
vendor and of the stations that resell it, with `complaints` and `faults` for the bad news and
`results` for the good.
"""

from generation.providers.kling.operations import OPERATIONS as OPERATIONS
