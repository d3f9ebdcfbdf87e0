"""What one scoring call returns: frozen, with the decision and its evidence side by side."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pinzhi.labels import Grade, Originality, Verdict


@dataclass(frozen=True)
class Post:
    """A draft or a published post; `published_at` must carry a time zone."""

    text: str
    post_id: str = "draft"
    platform: str = "draft"
    account_id: str | None = None
    published_at: datetime | None = None
    title: str | None = None
    quoted_text: str | None = None


@dataclass(frozen=True)
class Span:
    """Characters `start:end` of the raw text."""

    start: int
    end: int


@dataclass(frozen=True)
class PairSpan(Span):
    """Characters shared with the source: `start:end` here, `source_start:source_end` there."""

    source_start: int
    source_end: int


@dataclass(frozen=True)
class OriginalityScore:
    """Originality, 0 (a copy) to 100, against earlier posts only."""

    score: float
    label: Originality
    probabilities: Mapping[str, float]
    source_id: str | None = None
    source_platform: str | None = None
    source_account_id: str | None = None
    source_published_at: datetime | None = None
    source_similarity: float | None = None
    source_text: str | None = None
    spans: tuple[PairSpan, ...] = ()
    other_sources: tuple[str, ...] = ()  # "platform/post_id" of further earlier near matches
    n_frame_accounts: int = 0  # other accounts that published its skeleton before, each with other fillings
    n_compared: int = 0


@dataclass(frozen=True)
class ValueScore:
    """One declared value against one post."""

    value_id: str
    p_expresses: float
    p_touches: float
    p_contradicts: float
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class CoherenceScore:
    """Values-coherence, 0 (contradicts) to 100 (expresses)."""

    score: float
    grade: Grade
    values: Mapping[str, ValueScore] = field(default_factory=dict)


@dataclass(frozen=True)
class PostScore:
    """The answer before publishing: verdict, why, and the evidence."""

    verdict: Verdict
    reasons: list[str]
    quality: float
    originality: OriginalityScore
    coherence: CoherenceScore
    models: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Removal:
    """A draft without the characters `span` of it, scored like any draft: advice where to mend, not a finished text."""

    span: Span
    text: str  # what was taken out
    score: PostScore
