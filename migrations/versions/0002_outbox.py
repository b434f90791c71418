"""the outbox: expiry, updates in place, pace"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.add_column(sa.Column('person_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('unasked', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('revision', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('made_at', sa.BigInteger(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('expires_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('sent_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('claim', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('unsure', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('check_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('copies', sa.Integer(), nullable=False, server_default='1'))
        batch_op.drop_index('ix_outbox_state_due_at')
        batch_op.create_index('ix_outbox_turn', ['state', 'unasked', 'due_at', 'id'], unique=False)
        batch_op.create_index('ix_outbox_check_at', ['check_at'], unique=False, sqlite_where=sa.text('check_at IS NOT NULL'), postgresql_where=sa.text('check_at IS NOT NULL'))

    if op.get_bind().dialect.name == 'postgresql':
        op.alter_column('outbox', 'key', existing_nullable=False, type_=sa.String(length=300, collation='C'))
    op.execute('UPDATE outbox SET made_at = due_at, claim = attempts')
    # what an earlier version claimed or was not sure of may have been posted
    op.execute("UPDATE outbox SET unsure = true WHERE state = 'claimed' OR (state = 'due' AND problem = 'It is not known whether this arrived.')")
    op.create_table('pace',
    sa.Column('key', sa.String(length=300), nullable=False),
    sa.Column('stamps', sa.Text(), nullable=False),
    sa.Column('last_at', sa.BigInteger(), nullable=False),
    sa.Column('free_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_pace'))
    )


def downgrade() -> None:
    op.drop_table('pace')
    # what the earlier version does not know waits for a person there as what has failed
    op.execute("UPDATE outbox SET state = 'failed' WHERE state IN ('held', 'expired', 'cancelled')")
    op.execute("UPDATE outbox SET state = 'claimed' WHERE state = 'posting'")
    if op.get_bind().dialect.name == 'postgresql':
        op.alter_column('outbox', 'key', existing_nullable=False, type_=sa.String(length=300))
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index('ix_outbox_check_at')
        batch_op.drop_index('ix_outbox_turn')
        batch_op.drop_column('copies')
        batch_op.drop_column('check_at')
        batch_op.drop_column('unsure')
        batch_op.drop_column('claim')
        batch_op.drop_column('sent_at')
        batch_op.drop_column('expires_at')
        batch_op.drop_column('made_at')
        batch_op.drop_column('revision')
        batch_op.drop_column('unasked')
        batch_op.drop_column('person_id')
        batch_op.create_index('ix_outbox_state_due_at', ['state', 'due_at'], unique=False)
