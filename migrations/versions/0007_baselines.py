"""baselines and pilots"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('baseline',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('level', sa.String(length=12), nullable=False),
    sa.Column('metric', sa.String(length=100), nullable=False),
    sa.Column('from_day', sa.Integer(), nullable=False),
    sa.Column('until_day', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('proposal', sa.Text(), nullable=False),
    sa.Column('lines', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['decided_by'], ['person.id'], name=op.f('fk_baseline_decided_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_baseline'))
    )
    is_open = sa.text("state IN ('measuring', 'proposed')")
    op.create_index('uq_baseline_open', 'baseline', ['level', 'metric'], unique=True,
                    sqlite_where=is_open, postgresql_where=is_open)
    op.create_table('pilot_answer',
    sa.Column('pilot', sa.String(length=130), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('part', sa.String(length=6), nullable=False),
    sa.Column('useful', sa.String(length=6), nullable=False),
    sa.Column('fair', sa.String(length=6), nullable=False),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_pilot_answer_person_id')),
    sa.PrimaryKeyConstraint('pilot', 'person_id', 'part', name=op.f('pk_pilot_answer'))
    )
    op.create_table('pilot_decision',
    sa.Column('pilot', sa.String(length=130), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=False),
    sa.Column('decided_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['decided_by'], ['person.id'], name=op.f('fk_pilot_decision_decided_by')),
    sa.PrimaryKeyConstraint('pilot', name=op.f('pk_pilot_decision'))
    )


def downgrade() -> None:
    op.drop_table('pilot_decision')
    op.drop_table('pilot_answer')
    op.drop_index('uq_baseline_open', table_name='baseline')
    op.drop_table('baseline')
