"""
How Alembic runs here: on the connection, and in the transaction, that
`generation.store.engine.migrate` opened.
"""

from alembic import context

from generation.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
