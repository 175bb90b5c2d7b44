"""The sandbox station: a real HTTP server that speaks the upstream protocols without generating.

Point genq, or any client of these protocols, at it: tasks are accepted, queue, run, and end with
asset URLs that serve small valid files; every submit it would have charged is in a ledger. Time can
run faster than outside, stand still, or jump. Knobs in a prompt make it misbehave on purpose.

    python -m ops.sandbox --host 127.0.0.1 --port 0        # set by GENQ_SANDBOX_*, see `config`

    with running_sandbox(SandboxConfig(speed=60)) as sandbox:    # in a test; see `handle`
        ...sandbox.url, sandbox.stats(), sandbox.configure(speed=1), sandbox.advance(30)

Protocols
    Midjourney  /mj/submit/imagine, blend, describe, shorten, action, change, modal, edits, video,
                upload-discord-images; /mj/insight-face/swap; /mj/task/{id}/fetch and image-seed,
                /mj/task/list-by-condition; also under /mj-fast, /mj-relax and /mj-turbo. With a
                bearer key it responds as a new-api station; with `mj-api-secret` that of a
                direct proxy, which also has /mj/submit/retexture, /mj/task/list and
                /mj/task/{id}/cancel. Callbacks by `notifyHook`.
    Kling       v1: every endpoint of videos, images, audio and the library of voices and elements
                under /v1; submit, query by task_id or external_task_id, list; plain key or signed
                token. Those that relays pass on under /kling, with a relay's bearer key. v2 at
                /text-to-video/{model}, /image-to-video/{model} and /tasks. A new-api station that
                rebuilds requests under /newapi/kling. Callbacks by `callback_url`.
    Luma        Dream Machine under /dream-machine/v1, the Agents API under /v1/generations, the
                form of relays under /luma, with polls of many. Callbacks by `callback_url` and
                `notify_hook`; none by the Agents API.
    Flux        the vendor under /v1 with `x-key`, a relay under /flux and /bfl, Replicate's
                predictions under /v1 and /replicate, fal's queue under /fal-ai with `Key`, OpenAI's
                form at /flux/v1/images/generations. Callbacks by `webhook_url`, `webhook` and
                `fal_webhook`.
    Suno        a relay and its station's additions under /suno, a feed under the same, a Suno-API
                under /raw/suno, the official style under /api/v1. Callbacks by `notify_hook` and
                `callBackUrl`; none by a Suno-API and a feed.
    OpenAI      chats and pictures under /v1, with the result in the response; Chat Open's form of
                the same under /AIGCChatOpenServ, with two headers. No callbacks.
    Assets      signed URLs under /attachments (Midjourney), plain ones under /files (Kling).

Knobs, in a prompt; N counts the first submits of a job (its reference or, without one, its exact
prompt) or the first looks at a task; without it, all of them. S is in seconds.
    submit, nothing created    `[throttle[=N]]` `[queue-full[=N]]` `[auth[=N]]` `[no-credit[=N]]`
                               `[invalid[=N]]` `[moderated[=N]]` `[html[=N]]` `[drop-before[=N]]`
    submit, created and paid   `[drop[=N]]` `[bad-gateway[=N]]` `[no-id[=N]]` `[slow=S]`
    looks                      `[look-errors[=N]]` `[look-throttle[=N]]` `[look-garbage[=N]]`
                               `[lost[=N]]` `[hang-look[=N]]` `[slow-look=S]`
    the task                   `[fail[=text]]` `[moderated-late]` `[stuck]` `[no-url]`
                               `[unknown-status]` `[seconds=S]` `[expires=S]`

Control
    GET /_sandbox/             what this is, every knob and setting
    GET /_sandbox/stats        paid and refused submits, looks; ?brief=1 for the totals only
    GET /_sandbox/tasks        the newest tasks
    POST /_sandbox/configure   {"speed": 60}: any setting, at run time
    POST /_sandbox/advance     {"seconds": 30}: jump the sandbox clock
    POST /_sandbox/finish      {"id": "…"}: end a task now, by its id or reference
    POST /_sandbox/reset       forget everything, restore the settings of the start

A further protocol is one module in `protocols` and one line in its registry. Its handlers derive
from `handlers.ProtocolHandlers`, its renderer implements `dialect.ProtocolRenderer`, and `engine`
decides what happens.
"""
