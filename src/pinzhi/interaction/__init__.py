"""Who is really there: acting together, genuine share, real share, community."""

from pinzhi.interaction.accounts import (
    MONTH_COLUMNS,
    MORE_COLUMNS,
    POST_COLUMNS,
    aggregate_accounts,
    aggregate_months,
    real_share,
)
from pinzhi.interaction.community import community
from pinzhi.interaction.coordination import coordinate
from pinzhi.interaction.posts import aggregate_posts, beta_interval, count_genuine, share_interval

__all__ = [
    "MONTH_COLUMNS",
    "MORE_COLUMNS",
    "POST_COLUMNS",
    "aggregate_accounts",
    "aggregate_months",
    "aggregate_posts",
    "beta_interval",
    "community",
    "coordinate",
    "count_genuine",
    "real_share",
    "share_interval",
]
