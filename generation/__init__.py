"""What genq is about: jobs, operations, stations, the store. Imports neither `api` nor `worker`."""
