"""the timetable and its ledger"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('timetable',
    sa.Column('key', sa.String(length=300), nullable=False),
    sa.Column('pattern', sa.String(length=200), nullable=False),
    sa.Column('digest', sa.String(length=32), nullable=False),
    sa.Column('done', sa.BigInteger(), nullable=False),
    sa.Column('next_due', sa.BigInteger(), nullable=True),
    sa.Column('wake_at', sa.BigInteger(), nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_timetable'))
    )
    with op.batch_alter_table('timetable', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_timetable_wake_at'), ['wake_at'], unique=False)

    op.create_table('run',
    sa.Column('schedule', sa.String(length=300), nullable=False),
    sa.Column('due', sa.String(length=20), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('made_at', sa.BigInteger(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('schedule', 'due', name=op.f('pk_run')),
    sqlite_with_rowid=False
    )
    op.create_index('ix_run_state_made_at', 'run', ['state', 'made_at'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_run_state_made_at', table_name='run')
    op.drop_table('run')
    with op.batch_alter_table('timetable', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_timetable_wake_at'))

    op.drop_table('timetable')
