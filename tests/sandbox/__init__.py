"""The sandbox station, asked over real HTTP."""
