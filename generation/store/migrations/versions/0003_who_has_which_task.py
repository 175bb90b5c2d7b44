"""
Who has which upstream task, and what a person has said of a doubt
"""

import sqlalchemy as sa
from alembic import op

TASKS = sa.text("upstream_id IS NOT NULL")

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("resolved_as", sa.String(length=10), nullable=True))
    op.create_index(
        "ix_jobs_upstream_id",
        "jobs",
        ["upstream_id"],
        unique=False,
        postgresql_where=TASKS,
        sqlite_where=TASKS,
    )
