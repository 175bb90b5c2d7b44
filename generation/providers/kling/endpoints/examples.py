"""Addresses and ids for examples. Nothing is there."""

PICTURE = "https://example.com/portrait.png"
OTHER_PICTURE = "https://example.com/lamp.png"
VIDEO = "https://example.com/dance.mp4"
SOUND = "https://example.com/hello.mp3"
VIDEO_ID = "768310264152834123"
SESSION_ID = "768310264152834999"
