"""Engines, transactions, drivers, migrations."""
