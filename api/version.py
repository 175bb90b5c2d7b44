"""The version of genq."""

from importlib.metadata import version

VERSION = version("genq")
