"""The front door: validates, stores, nudges."""
