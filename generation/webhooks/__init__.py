"""
Telling a caller what became of a job: signed, repeated for days, and never sent into our own house.

`signature`, `schedule`, `outcome`, `delivery` and `guard` are knowledge and touch nothing.
`resolver`, `transport` and `client` make guarded connections, `slots` shares them out, and `sender`
makes the request.
"""
