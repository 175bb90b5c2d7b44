"""
Which version of genq this is.
"""

from importlib.metadata import version

VERSION = version("genq")
