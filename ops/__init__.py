"""How genq runs: its command line, its local stack, its sandbox station, its measurements."""
