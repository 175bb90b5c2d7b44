"""
OpenAI's form of order, which nearly every relay speaks: conversations, pictures drawn within them,
and pictures by themselves.

`chat_models`, `messages` and `picture_models` say what an order may hold, `bodies` what is sent for
it. `documents` and `streams` find the JSON in an answer, `completion`, `pictures` and `markdown`
what is in it, `complaints`, `faults` and `reasons` the bad news; `reply` decides.
"""

from generation.providers.openai.operations import OPERATIONS as OPERATIONS
