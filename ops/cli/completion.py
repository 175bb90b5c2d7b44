"""Shell completion for names that are known without calling the API."""
# ruff: noqa: PLC0415  (providers are imported only when something is completed)


def complete_operation(incomplete: str) -> list[str]:
    """Return the `provider.operation` names that begin with this text."""
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
