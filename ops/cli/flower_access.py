"""Access rules for the Flower page."""

from ipaddress import ip_address
from typing import TYPE_CHECKING

from ops.cli.exit_codes import CliError

if TYPE_CHECKING:
    from generation.settings import Settings


def check_access(settings: "Settings") -> None:
    """Raise `CliError` if the page is reachable from outside without a password."""
    if settings.flower_basic_auth is None:
        if not is_loopback(settings.flower_host):
            raise CliError(
                f"Flower would be open to everyone who can reach {settings.flower_host}: set"
                " GENQ_FLOWER_BASIC_AUTH=user:password, or GENQ_FLOWER_HOST=127.0.0.1"
            )
        return
    user, _, password = settings.flower_basic_auth.get_secret_value().partition(":")
    if not (user and password):
        raise CliError("GENQ_FLOWER_BASIC_AUTH must be user:password")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach this host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
