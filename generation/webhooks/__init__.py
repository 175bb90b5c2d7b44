"""Webhooks: what is sent, how it is signed, when it is retried, and where it may go.

`sender` makes the requests, over the guarded connections of `client`, `transport` and `resolver`.
The other modules are pure.
"""
