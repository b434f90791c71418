"""ticket age: how new the tickets of a load are, whatever else was in it"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('load') as batch_op:
        batch_op.add_column(sa.Column('tickets_as_of', sa.BigInteger(), nullable=True))
    load = sa.table('load', sa.column('as_of'), sa.column('tickets_as_of'))
    # what older loads held nobody knows: left empty, one of old tickets alone would say how new the data are
    op.execute(load.update().values(tickets_as_of=load.c.as_of))


def downgrade() -> None:
    with op.batch_alter_table('load') as batch_op:
        batch_op.drop_column('tickets_as_of')
