"""`configs/score.toml` as frozen models; unknown keys are refused."""

import hashlib
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pinzhi import paths
from pinzhi.errors import ConfigError

Share = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1)]
Pairs = Annotated[int, Field(ge=8)]  # of letters; what shares half of fewer is alike by chance


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OriginalityConfig(_Section):
    """Search and labels of originality."""

    duplicate_similarity: Share
    wanted_recall: Share
    max_candidates: Count
    max_read: Count
    derived_from: Share
    unshown_weight: Share
    template_from: Share
    template_accounts: Annotated[int, Field(ge=3)]  # fewer are not counted
    quote_from: Share
    quote_worth: Share
    template_worth: Share


class CoherenceConfig(_Section):
    """How values-coherence is explained."""

    explain_from: Share


class CommentsConfig(_Section):
    """What counts as acting together."""

    coordinated_from: Count
    burst_minutes: Count
    min_letters: Count
    near_similarity: Annotated[float, Field(ge=0.4, le=1)]  # what is less alike has other words
    near_pairs: Pairs
    near_pairs_apart: Pairs
    flood_from: Count
    flood_share: Share
    hollow_posts: int
    mass_following: Count
    together_posts: Count
    together_share: Share


class InteractionConfig(_Section):
    """Genuine share of a post."""

    min_comments: Count
    interval: Share
    odd_times: Annotated[float, Field(ge=1)]
    odd_from: Count
    usual_posts: Count
    usual_accounts: Count


class AccountsConfig(_Section):
    """Real share of an account's followers."""

    anchor_low: tuple[float, float, float]
    anchor_high: tuple[float, float, float]
    size_elasticity: Share
    reposts_per_comment: float
    burst_growth: float
    burst_cost: Share
    new_below: Count
    dormant_days: Count
    fed_posts: Count
    fed_from: Share
    tiers: tuple[int, int, int]
    genuine_from: Share
    bought_below: Share


class CommunityConfig(_Section):
    """Whose voice carries far."""

    voice_followers: Count
    voice_likes: Count


class QualityConfig(_Section):
    """Weights of the parts of quality."""

    originality: Share
    coherence: Share
    interaction: Share


class VerdictConfig(_Section):
    """Quality at which a draft is published or held."""

    publish_from: Score
    hold_below: Score


class ModelsConfig(_Section):
    """How the models compute."""

    short_floats: bool


class BatchConfig(_Section):
    """Rows of one shard."""

    comments: Count
    posts: Count


class ScoreConfig(_Section):
    """One scoring run."""

    originality: OriginalityConfig
    coherence: CoherenceConfig
    comments: CommentsConfig
    interaction: InteractionConfig
    accounts: AccountsConfig
    community: CommunityConfig
    quality: QualityConfig
    verdict: VerdictConfig
    models: ModelsConfig
    batch: BatchConfig

    @classmethod
    def load(cls, path: Path | None = None) -> "ScoreConfig":
        """Read `path`, by default the shipped `configs/score.toml`. ConfigError names the file and the key."""
        path = path or paths.configs() / "score.toml"
        try:
            return cls.model_validate(tomllib.loads(path.read_text("utf-8")))
        except OSError as error:
            raise ConfigError(
                f"{path}: expected a configuration, found none ({error.strerror}); see configs/"
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: expected TOML in UTF-8, found {error}") from error
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise ConfigError(f"{path}: {key}: {first['msg']}; compare with configs/score.toml") from error

    @cached_property
    def digest(self) -> str:
        """Digest of every setting."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]
