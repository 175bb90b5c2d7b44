"""Whether anybody listens to a broker's events yet."""

from ops.stack.broker import client


def listeners(redis_url: str) -> int:
    """
    How many patterns of channels are listened to. A Flower that answers may not listen yet, and
    what is published before it does is lost to it.
    """
    with client(redis_url) as connection:
        return int(connection.pubsub_numpat())
