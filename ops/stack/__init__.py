"""A local stack: a broker and the programs around it, started in order, stopped without a trace."""
