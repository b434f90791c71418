"""week rollups: what a card reads of a person, added up from the rollups of days"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('rollup_week',
    sa.Column('subject_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('metric_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('team_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('num', sa.BigInteger(), nullable=False),
    sa.Column('den', sa.BigInteger(), nullable=False),
    sa.Column('n', sa.BigInteger(), nullable=False),
    sa.Column('ss', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('subject_id', 'metric_id', 'day', 'team_id', name=op.f('pk_rollup_week')),
    sqlite_with_rowid=False
    )
    op.create_index(
        'ix_rollup_week_nothing', 'rollup_week', ['subject_id'], unique=False,
        sqlite_where=sa.text('num = 0 AND den = 0 AND n = 0 AND ss = 0'),
        postgresql_where=sa.text('num = 0 AND den = 0 AND n = 0 AND ss = 0'),
    )
    op.execute(
        'INSERT INTO rollup_week (subject_id, metric_id, day, team_id, num, den, n, ss) '
        'SELECT subject_id, metric_id, day - (day + 3) % 7, team_id, sum(num), sum(den), sum(n), sum(ss) FROM rollup '
        'GROUP BY subject_id, metric_id, day - (day + 3) % 7, team_id '
        'HAVING sum(num) <> 0 OR sum(den) <> 0 OR sum(n) <> 0 OR sum(ss) <> 0'
    )


def downgrade() -> None:
    op.drop_index('ix_rollup_week_nothing', table_name='rollup_week')
    op.drop_table('rollup_week')
