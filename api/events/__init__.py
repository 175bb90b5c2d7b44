"""Events: pulled, streamed, waited for."""
