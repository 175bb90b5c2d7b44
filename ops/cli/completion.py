"""What the shell completes: names that genq knows without asking an API."""
# ruff: noqa: PLC0415  (the providers are loaded when something is completed)


def complete_operation(incomplete: str) -> list[str]:
    """`provider.operation` of each that begins like this."""
    from generation import providers

    return [name for name in providers.names() if name.startswith(incomplete)]


def complete_provider(incomplete: str) -> list[str]:
    return [name for name in known_providers() if name.startswith(incomplete)]


def complete_event(incomplete: str) -> list[str]:
    from generation.events import PUBLIC_EVENTS

    return [name for name in PUBLIC_EVENTS if name.startswith(incomplete)]


def known_providers() -> list[str]:
    from generation import providers

    return sorted({name.partition(".")[0] for name in providers.names()})
