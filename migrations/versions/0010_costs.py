"""costs: what the desk spends, for its margin"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('cost',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('client', sa.Text(), nullable=True),
    sa.Column('day', sa.Integer(), nullable=True),
    sa.Column('amount', sa.Text(), nullable=True),
    sa.Column('currency', sa.Text(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_cost'))
    )
    op.create_index('ix_cost_day', 'cost', ['day'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_cost_day', table_name='cost')
    op.drop_table('cost')
