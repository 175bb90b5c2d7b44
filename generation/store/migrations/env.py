"""Runs Alembic on the connection and transaction of `generation.store.engine.migrate`."""

from alembic import context

from generation.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
