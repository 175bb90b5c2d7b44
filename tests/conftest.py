"""What every test may use: real services, a closed network, and a check for what is left behind."""

pytest_plugins = [
    "tests.services.network",
    "tests.services.leaks",
    "tests.services.fixtures",
    "tests.deployment.fixtures",
]
