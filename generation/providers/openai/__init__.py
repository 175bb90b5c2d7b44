"""OpenAI's wire format, which nearly every relay offers: chats, pictures in chats, pictures.

`chat_models`, `messages` and `picture_models` are the requests, `bodies` what is sent for them.
`documents` and `streams` find the JSON in an answer, `completion`, `pictures` and `markdown` its
content, `complaints`, `faults` and `reasons` its errors; `reply` decides.
"""

from generation.providers.openai.operations import OPERATIONS as OPERATIONS
