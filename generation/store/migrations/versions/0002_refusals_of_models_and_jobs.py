"""
What a key is refused for: which jobs, and which models
"""

import sqlalchemy as sa
from alembic import op

from generation.store.schema import InsertDocument, Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("cooled_at", Instant(), nullable=True))
    op.add_column("accounts", sa.Column("refusals", InsertDocument, nullable=True))


def downgrade() -> None:
    op.drop_column("accounts", "refusals")
    op.drop_column("accounts", "cooled_at")
