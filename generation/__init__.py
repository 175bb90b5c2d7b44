"""
What genq is about: jobs, operations, stations, the store. Knows neither its front door nor its back
room.
"""
