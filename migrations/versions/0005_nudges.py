"""focus, nudges, coaching"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('unasked',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('place', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('key', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_unasked_person_id')),
    sa.PrimaryKeyConstraint('person_id', 'day', 'place', name=op.f('pk_unasked')),
    sa.UniqueConstraint('key', name=op.f('uq_unasked_key'))
    )
    op.create_table('focus',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('metric', sa.String(length=100), nullable=False),
    sa.Column('behaviour', sa.String(length=100), nullable=False),
    sa.Column('since_day', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('ended_day', sa.Integer(), nullable=True),
    sa.Column('check_day', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_focus_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_focus'))
    )
    with op.batch_alter_table('focus', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_focus_person_id'), ['person_id'], unique=False)
        batch_op.create_index('uq_focus_on', ['person_id', 'metric'], unique=True, sqlite_where=sa.text("state = 'on'"), postgresql_where=sa.text("state = 'on'"))

    op.create_table('nudge',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('metric', sa.String(length=100), nullable=False),
    sa.Column('behaviour', sa.String(length=100), nullable=False),
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('answer', sa.String(length=10), nullable=True),
    sa.Column('answered_at', sa.BigInteger(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_nudge_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_nudge')),
    sa.UniqueConstraint('person_id', 'day', name=op.f('uq_nudge_person_id_day'))
    )
    op.create_table('nudge_week',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('behaviour', sa.String(length=100), nullable=False),
    sa.Column('week', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('metric', sa.String(length=100), nullable=False),
    sa.Column('nudged', sa.Boolean(), nullable=False),
    sa.Column('why', sa.String(length=10), nullable=False),
    sa.Column('target', sa.Float(), nullable=False),
    sa.Column('red', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_nudge_week_person_id')),
    sa.PrimaryKeyConstraint('person_id', 'behaviour', 'week', name=op.f('pk_nudge_week'))
    )
    op.create_table('nudge_pause',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('behaviour', sa.String(length=100), nullable=False),
    sa.Column('why', sa.String(length=10), nullable=False),
    sa.Column('until_day', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_nudge_pause_person_id')),
    sa.PrimaryKeyConstraint('person_id', 'behaviour', name=op.f('pk_nudge_pause'))
    )
    op.create_table('coach_talk',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('lead_id', sa.Integer(), nullable=False),
    sa.Column('area', sa.String(length=100), nullable=False),
    sa.Column('step', sa.Text(), nullable=False),
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('check_day', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.ForeignKeyConstraint(['lead_id'], ['person.id'], name=op.f('fk_coach_talk_lead_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_coach_talk_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_coach_talk')),
    sa.UniqueConstraint('person_id', 'area', 'check_day', name=op.f('uq_coach_talk_person_id_area_check_day'))
    )
    with op.batch_alter_table('coach_talk', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_coach_talk_person_id'), ['person_id'], unique=False)

    op.create_table('coach_note',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['person.id'], name=op.f('fk_coach_note_author_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_coach_note_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_coach_note'))
    )
    with op.batch_alter_table('coach_note', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_coach_note_person_id'), ['person_id'], unique=False)


def downgrade() -> None:
    for name in ('coach_note', 'coach_talk', 'nudge_pause', 'nudge_week', 'nudge', 'focus', 'unasked'):
        op.drop_table(name)
