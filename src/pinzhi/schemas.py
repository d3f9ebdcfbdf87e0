"""Arrow schemas of every table, versioned. A column is only ever added; a changed meaning gets a new name.

Times are UTC milliseconds with `time_precision` saying how much of them the source gave. Identifiers are strings,
digit for digit. Counts are null where unknown; 0 is zero. Shares and probabilities are in [0, 1], scores in 0-100.
Spans are half-open character offsets into the raw text as stored.
"""

import pyarrow as pa

SCHEMA_VERSION = "1"

TIME = pa.timestamp("ms", tz="UTC")
SPAN = pa.struct([("start", pa.int32()), ("end", pa.int32())])
PAIR_SPAN = pa.struct(
    [("start", pa.int32()), ("end", pa.int32()), ("source_start", pa.int32()), ("source_end", pa.int32())]
)


def _schema(name: str, *fields: tuple[str, pa.DataType] | pa.Field) -> pa.Schema:
    return pa.schema(fields, metadata={"pinzhi.table": name, "pinzhi.schema_version": SCHEMA_VERSION})


def _key(name: str, type_: pa.DataType | None = None) -> pa.Field:
    return pa.field(name, type_ or pa.string(), nullable=False)


# -- canonical input -------------------------------------------------------------------------------------------------

POSTS = _schema(
    "posts",
    _key("platform"),
    _key("post_id"),
    ("account_id", pa.string()),  # null: the exporter hid or lost the author
    ("published_at", TIME),  # null: unknown; such a post can be nobody's source and nobody's copy
    _key("text"),
    ("title", pa.string()),
    ("kind", pa.string()),
    ("reposted_post_id", pa.string()),
    ("quoted_text", pa.string()),
    ("likes", pa.int64()),
    ("reposts", pa.int64()),
    ("comments", pa.int64()),
    ("reads", pa.int64()),
    ("collects", pa.int64()),
    ("count_floors", pa.list_(pa.string())),  # names of the counts given as "10万+"
    ("time_precision", pa.string()),  # day, minute, second, millisecond
    ("url", pa.string()),
    ("fetched_at", TIME),
    ("campaign", pa.string()),
    ("cost", pa.float64()),
    ("currency", pa.string()),
)

COMMENTS = _schema(
    "comments",
    _key("platform"),
    _key("comment_id"),
    ("post_id", pa.string()),  # null: some exporters lose it
    ("parent_id", pa.string()),  # null: top level
    ("author_id", pa.string()),
    ("author_name", pa.string()),
    ("author_followers", pa.int64()),
    ("author_following", pa.int64()),
    ("author_posts", pa.int64()),
    ("author_verified", pa.bool_()),
    ("created_at", TIME),
    _key("text"),
    ("likes", pa.int64()),
    ("time_precision", pa.string()),
    ("fetched_at", TIME),
)

ACCOUNTS = _schema(
    "accounts",
    _key("platform"),
    _key("account_id"),
    ("name", pa.string()),
    ("followers", pa.int64()),
    ("following", pa.int64()),
    ("posts", pa.int64()),
    ("verified", pa.bool_()),
    ("fetched_at", TIME),  # several rows of one account over time are its follower history
)

REJECTS = _schema(
    "rejects",
    _key("source"),  # file, relative to the archive given
    ("line", pa.int64()),  # line of a text file, row of a table, item of an array; 1-based, null for the whole file
    ("field", pa.string()),
    _key("reason"),
    ("raw", pa.string()),  # the record as it was read, author fields pseudonymised
)

CANONICAL = {"posts": POSTS, "comments": COMMENTS, "accounts": ACCOUNTS, "rejects": REJECTS}
KEYS = {
    "posts": ("platform", "post_id"),
    "comments": ("platform", "comment_id"),
    "accounts": ("platform", "account_id"),
}

# -- measures: what models say, before any threshold -----------------------------------------------------------------

P_ORIGINALITY = ("p_original", "p_duplicate", "p_rewrite", "p_template", "p_quote")
P_SENTIMENT = ("p_negative", "p_neutral", "p_positive")
P_AUTHENTICITY = ("p_genuine", "p_incentive", "p_water_army", "p_spam", "p_empty")

VALUE_MEASURE = pa.struct(
    [
        ("value_id", pa.string()),
        ("p_expresses", pa.float32()),
        ("p_touches", pa.float32()),
        ("p_contradicts", pa.float32()),
        ("spans", pa.list_(SPAN)),  # the words that carry it; empty below the evidence threshold
    ]
)

_ORIGINALITY_FIELDS: list[tuple[str, pa.DataType]] = [
    *[(name, pa.float32()) for name in P_ORIGINALITY],
    ("source_platform", pa.string()),
    ("source_post_id", pa.string()),  # earliest earlier post that it derives from
    ("source_account_id", pa.string()),
    ("source_published_at", TIME),
    ("source_similarity", pa.float32()),  # share of the post's content that the source covers, 0-1
    ("spans", pa.list_(PAIR_SPAN)),
    ("other_sources", pa.list_(pa.string())),  # "platform/post_id" of further earlier near matches
    ("is_self", pa.bool_()),  # the source is by the same account, or by the brand on another platform
    ("is_undetermined", pa.bool_()),  # near match, but times are equal or missing
    ("n_frame_accounts", pa.int32()),  # other accounts that published its skeleton before, each with other fillings
]

ORIGINALITY_MEASURES = _schema("originality_measures", _key("platform"), _key("post_id"), *_ORIGINALITY_FIELDS)

COHERENCE_MEASURES = _schema(
    "coherence_measures",
    _key("platform"),
    _key("post_id"),
    _key("brand"),
    ("values", pa.list_(VALUE_MEASURE)),
)

COMMENT_MEASURES = _schema(
    "comment_measures",
    _key("platform"),
    _key("comment_id"),
    *[(name, pa.float32()) for name in (*P_SENTIMENT, *P_AUTHENTICITY)],
)

# -- output ----------------------------------------------------------------------------------------------------------

_STAMP: list[tuple[str, pa.DataType]] = [
    ("segmenter", pa.string()),
    ("models", pa.map_(pa.string(), pa.string())),  # head -> version that made the numbers
    ("run_id", pa.string()),  # the run that last changed this row
]

SCORED_POSTS = _schema(
    "scored_posts",
    _key("platform"),
    _key("post_id"),
    ("account_id", pa.string()),
    ("published_at", TIME),
    _key("text"),
    ("title", pa.string()),
    ("url", pa.string()),
    ("likes", pa.int64()),
    ("reposts", pa.int64()),
    ("comments", pa.int64()),  # as the platform counts them
    ("reads", pa.int64()),
    ("campaign", pa.string()),
    ("cost", pa.float64()),
    ("currency", pa.string()),
    ("originality", pa.float32()),
    ("originality_label", pa.string()),
    *_ORIGINALITY_FIELDS,
    ("coherence", pa.float32()),
    ("coherence_grade", pa.int8()),
    ("values", pa.list_(VALUE_MEASURE)),
    ("expresses", pa.list_(pa.string())),  # ids of the values that carry grade 3
    ("touches", pa.list_(pa.string())),  # grade 2
    ("contradicts", pa.list_(pa.string())),  # grade 0
    ("genuine_share", pa.float32()),  # null below the configured number of comments
    ("genuine_share_low", pa.float32()),
    ("genuine_share_high", pa.float32()),
    ("n_comments", pa.int32()),  # comments in the archive, the account's own replies left out
    ("n_genuine", pa.int32()),
    ("n_incentive", pa.int32()),
    ("sentiment", pa.float32()),  # mean over genuine comments, -1..1
    ("evidence", pa.list_(pa.string())),  # what its comments could be judged by: text, time, author, profile
    ("n_profiles", pa.int32()),  # comments whose author's profile is known
    ("n_hollow", pa.int32()),  # of those, by profiles that are new, empty or follow masses
    ("burst_share", pa.float32()),  # of its comments, in its busiest `burst_minutes`; null below the configured number
    ("burst_usual", pa.float32()),  # the same of a typical post of the account
    ("genuine_comments", pa.float32()),  # of n_comments, by their probabilities; n_genuine counts labels
    ("genuine_interactions", pa.float32()),  # genuine comments and reposts, from the platform's counts
    ("genuine_interactions_low", pa.float32()),
    ("genuine_interactions_high", pa.float32()),
    (
        "likes_vs_own",
        pa.float32(),
    ),  # likes a comment, times what is usual for the account; null where nothing is usual yet
    ("likes_vs_tier", pa.float32()),  # and for accounts of its size on the platform
    ("reposts_vs_own", pa.float32()),
    ("reposts_vs_tier", pa.float32()),
    ("interaction", pa.float32()),
    ("quality", pa.float32()),
    ("verdict", pa.string()),
    ("reasons", pa.list_(pa.string())),  # codes of pinzhi.decide.REASONS
    ("brand", pa.string()),
    ("cluster_id", pa.string()),  # "platform/post_id" of the post that all of its copies and rewrites go back to
    ("cluster_size", pa.int32()),  # posts of the cluster, that one included
    *_STAMP,
)

SCORED_COMMENTS = _schema(
    "scored_comments",
    _key("platform"),
    _key("comment_id"),
    ("post_id", pa.string()),
    ("parent_id", pa.string()),
    ("author_id", pa.string()),
    ("author_name", pa.string()),
    ("created_at", TIME),
    _key("text"),
    ("likes", pa.int64()),
    ("is_owner", pa.bool_()),  # written by the account that published the post; never counted as interaction
    ("sentiment", pa.int8()),
    *[(name, pa.float32()) for name in P_SENTIMENT],
    ("authenticity", pa.string()),
    *[(name, pa.float32()) for name in P_AUTHENTICITY],
    ("coordination_id", pa.string()),
    ("coordination_evidence", pa.string()),  # what the group has in common
    *_STAMP,
)

SCORED_ACCOUNTS = _schema(
    "scored_accounts",
    _key("platform"),
    _key("account_id"),
    ("name", pa.string()),
    ("followers", pa.int64()),
    ("real_share", pa.float32()),
    ("real_share_low", pa.float32()),
    ("real_share_high", pa.float32()),
    ("real_followers", pa.int64()),
    ("n_posts", pa.int32()),
    ("n_comments", pa.int32()),
    ("genuine_share", pa.float32()),
    ("genuine_per_post", pa.float32()),
    ("quality", pa.float32()),  # mean over its posts
    ("template_share", pa.float32()),  # of its posts that have words
    ("reach", pa.float32()),  # mean reads per post over followers
    ("evidence", pa.list_(pa.string())),  # what its comments could be judged by: text, time, author, profile
    ("growth", pa.float32()),  # of followers, the largest between two looks within 30 days: 0.5 is half as many again
    ("growth_at", TIME),  # the look that found it
    ("lottery_share", pa.float32()),  # of its posts, those whose comments are mostly entries
    ("p_fed", pa.float32()),  # how likely somebody feeds the account, by its newest posts; null where nobody can tell,
    ("p_fed_reason", pa.string()),  # and why: a code of pinzhi.decide.REASONS
    ("tier", pa.string()),
    ("rank_in_tier", pa.int32()),
    ("verdict", pa.string()),
    ("reasons", pa.list_(pa.string())),
    *_STAMP,
)

ACCOUNT_MONTHS = _schema(
    "account_months",
    _key("platform"),
    _key("account_id"),
    ("month_at", TIME),  # the first instant of the month
    ("n_posts", pa.int32()),  # that have words
    ("n_templates", pa.int32()),
    ("template_share", pa.float32()),
    ("template_share_low", pa.float32()),
    ("template_share_high", pa.float32()),
    ("run_id", pa.string()),
)

COPIES = _schema(
    "copies",
    _key("platform"),
    _key("post_id"),  # the copy, by an account that is none of the brand's
    ("account_id", pa.string()),
    ("published_at", TIME),
    ("originality_label", pa.string()),  # duplicate or rewrite
    _key("brand"),
    _key("source_platform"),
    _key("source_post_id"),  # the brand's post that was copied
    ("source_account_id", pa.string()),
    ("source_published_at", TIME),
    ("relation", pa.string()),  # source; other_source: one of several; cluster: it is copied from a copy
    ("p_derived", pa.float32()),  # p_duplicate + p_rewrite of the copy
    ("source_similarity", pa.float32()),  # share of the copy that the source covers, 0-1; null but for `source`
    ("spans", pa.list_(PAIR_SPAN)),  # null but for `source`
    ("cluster_id", pa.string()),
    ("cluster_size", pa.int32()),
    ("run_id", pa.string()),
)

COMMUNITY = _schema(
    "community",
    _key("platform"),
    ("account_id", pa.string()),  # the account whose community it is
    _key("kind"),  # advocate, critic, lottery_hunter, voice
    ("author_id", pa.string()),
    ("author_name", pa.string()),
    ("n_comments", pa.int32()),
    ("n_genuine", pa.int32()),
    ("likes", pa.int64()),
    ("first_at", TIME),
    ("last_at", TIME),
    ("text", pa.string()),  # the comment that shows it best
    ("comment_ids", pa.list_(pa.string())),
    ("post_ids", pa.list_(pa.string())),
    ("rank", pa.int32()),  # 1 is the first to thank or to answer within the account and kind
    ("topic", pa.string()),  # of what a critic complains: codes of pinzhi.interaction.topics
    ("waiting_days", pa.int32()),  # of a critic, until the last thing that the archive knows of
    ("n_friends", pa.int32()),  # people whom they called in, by @
    ("author_followers", pa.int64()),
    ("run_id", pa.string()),
)

VALUE_MONTHS = _schema(
    "value_months",
    _key("platform"),
    ("account_id", pa.string()),
    _key("brand"),
    _key("value_id"),
    ("is_own", pa.bool_()),  # the account speaks for the brand; any does where the profile names none
    ("n_posts", pa.int32()),  # posts of the month that were read against the brand
    ("n_expresses", pa.int32()),
    ("n_touches", pa.int32()),
    ("n_contradicts", pa.int32()),
    ("first_at", TIME),  # of those posts
    ("last_at", TIME),
)

BRAND_VALUES = _schema(
    "brand_values",
    _key("brand"),
    _key("value_id"),
    ("value_name", pa.string()),
    ("n_posts", pa.int32()),  # the brand's own that were read against it
    ("n_expresses", pa.int32()),
    ("n_touches", pa.int32()),
    ("n_contradicts", pa.int32()),
    ("expresses_share", pa.float32()),  # null without posts
    ("expresses_share_low", pa.float32()),
    ("expresses_share_high", pa.float32()),
    ("first_expressed_at", TIME),
    ("last_expressed_at", TIME),
    ("first_contradicted_at", TIME),
    ("last_contradicted_at", TIME),
    ("never_expressed", pa.bool_()),  # null: none, of too few posts
    ("claimed_and_contradicted", pa.bool_()),  # some posts express or touch it, others contradict it
    ("contradicting_posts", pa.list_(pa.string())),  # "platform/post_id", the likeliest first
    ("n_genuine", pa.int32()),  # genuine comments under the own posts that express it
    ("n_negative", pa.int32()),  # the negative ones of them
    ("negative_share", pa.float32()),  # null below the configured number of comments
    ("negative_share_low", pa.float32()),
    ("negative_share_high", pa.float32()),
    ("negative_share_elsewhere", pa.float32()),  # under the brand's other posts
    ("doubted_by_readers", pa.bool_()),  # null: too few comments here or elsewhere
    ("negative_comments", pa.list_(pa.string())),  # "platform/comment_id", the most liked first
    ("run_id", pa.string()),
)

COORDINATION = _schema(
    "coordination",
    _key("platform"),
    _key("coordination_id"),
    _key("kind"),  # wording: one text, or nearly, by many hands; together: authors who turn up side by side
    ("mostly", pa.string()),  # the authenticity of most of its comments; genuine ones are regulars, not an army
    ("n_comments", pa.int32()),
    ("n_authors", pa.int32()),  # known ones
    ("n_posts", pa.int32()),
    ("n_accounts", pa.int32()),  # whose posts they answered
    ("first_at", TIME),
    ("last_at", TIME),
    ("text", pa.string()),  # an example
    ("evidence", pa.string()),
    ("author_ids", pa.list_(pa.string())),
    ("account_ids", pa.list_(pa.string())),
    ("post_ids", pa.list_(pa.string())),
    ("comment_ids", pa.list_(pa.string())),
    ("run_id", pa.string()),
)

OVERLAP = _schema(
    "overlap",
    _key("platform"),
    _key("account_id"),
    _key("other_account_id"),
    ("n_shared", pa.int32()),  # people who comment on both
    ("n_commenters", pa.int32()),
    ("n_other_commenters", pa.int32()),
    ("share", pa.float32()),  # of the commenters of the account that has fewer
    ("n_shared_bought", pa.int32()),  # shared ones who left water army or spam with either
    ("run_id", pa.string()),
)

_MONEY: list[tuple[str, pa.DataType]] = [
    ("cost", pa.float64()),  # null where nothing was paid, or in several currencies
    ("currency", pa.string()),  # mixed: several
    ("cost_per_1000_reads", pa.float64()),  # of paid posts; null where reads of one are hidden
    ("cost_per_genuine", pa.float64()),  # cost of one genuine comment or repost under paid posts
    ("cost_per_genuine_low", pa.float64()),
    ("cost_per_genuine_high", pa.float64()),  # null: there may be none at all
]
_GENUINE_SUM: list[tuple[str, pa.DataType]] = [
    ("genuine_interactions", pa.float64()),
    ("genuine_interactions_low", pa.float64()),
    ("genuine_interactions_high", pa.float64()),
]

MONTHS = _schema(
    "months",
    _key("platform"),
    _key("account_id"),
    ("name", pa.string()),
    ("month_start", TIME),  # the first of the month, UTC
    ("n_posts", pa.int32()),
    ("n_paid", pa.int32()),  # posts with a cost, or of a campaign that has one
    ("n_comments", pa.int32()),
    ("n_genuine", pa.int32()),
    ("genuine_share", pa.float32()),
    ("quality", pa.float32()),
    *_GENUINE_SUM,
    ("reads_paid", pa.int64()),
    ("reads_earned", pa.int64()),  # of posts for which nothing was paid
    ("reach", pa.float32()),  # mean reads per post over followers
    *_MONEY,
    ("rank", pa.int32()),  # among all accounts of the month, by genuine interactions
    ("n_ranked", pa.int32()),
    ("tier", pa.string()),
    ("rank_in_tier", pa.int32()),
    ("n_in_tier", pa.int32()),
    ("n_weeks", pa.int32()),  # weeks that began in the month, in which it posted, and more than five accounts did
    ("n_weeks_first_five", pa.int32()),  # of those, in which it was among the five most answered, by genuine people
    ("run_id", pa.string()),
)

CAMPAIGNS = _schema(
    "campaigns",
    _key("platform"),
    _key("account_id"),
    ("campaign", pa.string()),  # null: paid posts that name none
    ("n_posts", pa.int32()),
    ("first_at", TIME),
    ("last_at", TIME),
    ("reads", pa.int64()),
    ("n_comments", pa.int32()),
    ("n_genuine", pa.int32()),
    ("genuine_share", pa.float32()),
    ("quality", pa.float32()),
    *_GENUINE_SUM,
    *_MONEY,
    ("run_id", pa.string()),
)

GRAPH = "coordination.gexf"  # beside the tables: who acts together, for Gephi
BRANDS = "canonical/brands.json"  # beside the tables: what scores rest on of the brand profiles of the last run
OUTPUT = {
    "posts": SCORED_POSTS,
    "comments": SCORED_COMMENTS,
    "accounts": SCORED_ACCOUNTS,
    "account_months": ACCOUNT_MONTHS,
    "community": COMMUNITY,
    "value_months": VALUE_MONTHS,
    "brand_values": BRAND_VALUES,
    "coordination": COORDINATION,
    "overlap": OVERLAP,
    "months": MONTHS,
    "campaigns": CAMPAIGNS,
    "copies": COPIES,
    "rejects": REJECTS,
}
