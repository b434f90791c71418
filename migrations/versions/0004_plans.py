"""plans, blockers, distortions"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_audit_subject', 'audit', ['subject'], unique=False)
    op.create_table('plan',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('subject', sa.String(length=50), nullable=False),
    sa.Column('metric', sa.String(length=100), nullable=False),
    sa.Column('period', sa.String(length=20), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('owner_id', sa.Integer(), nullable=False),
    sa.Column('due_day', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('outcome', sa.String(length=12), nullable=False),
    sa.Column('moved', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('blocker', sa.Text(), nullable=False),
    sa.Column('opened_day', sa.Integer(), nullable=False),
    sa.Column('set_day', sa.Integer(), nullable=False),
    sa.Column('closed_day', sa.Integer(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['owner_id'], ['person.id'], name=op.f('fk_plan_owner_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan'))
    )
    op.create_index('ix_plan_subject_state', 'plan', ['subject', 'state'], unique=False)
    op.create_index('uq_plan_open', 'plan', ['subject', 'metric'], unique=True,
                    sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    op.create_table('distortion',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('scope', sa.String(length=50), nullable=False),
    sa.Column('first_day', sa.Integer(), nullable=False),
    sa.Column('last_day', sa.Integer(), nullable=False),
    sa.Column('metrics', sa.Text(), nullable=False),
    sa.Column('weight', sa.Integer(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('declared_by', sa.Integer(), nullable=False),
    sa.Column('declared_at', sa.BigInteger(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', sa.BigInteger(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('reverted_by', sa.Integer(), nullable=True),
    sa.Column('reverted_at', sa.BigInteger(), nullable=True),
    sa.Column('effective', sa.Boolean(), nullable=False),
    sa.Column('work', sa.String(length=10), nullable=False),
    sa.Column('work_mark', sa.String(length=32), nullable=True),
    sa.Column('work_until', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['decided_by'], ['person.id'], name=op.f('fk_distortion_decided_by')),
    sa.ForeignKeyConstraint(['declared_by'], ['person.id'], name=op.f('fk_distortion_declared_by')),
    sa.ForeignKeyConstraint(['reverted_by'], ['person.id'], name=op.f('fk_distortion_reverted_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_distortion'))
    )
    op.create_index('ix_distortion_state', 'distortion', ['state'], unique=False)
    op.create_index('ix_distortion_work', 'distortion', ['work'], unique=False,
                    sqlite_where=sa.text("work <> ''"), postgresql_where=sa.text("work <> ''"))
    op.create_table('distortion_score',
    sa.Column('distortion_id', sa.Integer(), nullable=False),
    sa.Column('subject', sa.String(length=50), nullable=False),
    sa.Column('done', sa.Boolean(), nullable=False),
    sa.Column('renewed', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['distortion_id'], ['distortion.id'], name=op.f('fk_distortion_score_distortion_id')),
    sa.PrimaryKeyConstraint('distortion_id', 'subject', name=op.f('pk_distortion_score'))
    )


def downgrade() -> None:
    op.drop_table('distortion_score')
    op.drop_index('ix_distortion_work', table_name='distortion')
    op.drop_index('ix_distortion_state', table_name='distortion')
    op.drop_table('distortion')
    op.drop_index('uq_plan_open', table_name='plan')
    op.drop_index('ix_plan_subject_state', table_name='plan')
    op.drop_table('plan')
    op.drop_index('ix_audit_subject', table_name='audit')
