"""What a training run may be told, as frozen models over `configs/train/*.toml`; unknown keys are refused."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from pinzhi.errors import ConfigError


class Settings(BaseModel):
    """Base of all training settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `path`; ConfigError names the file and the key that is wrong."""
        try:
            return cls.model_validate(tomllib.loads(path.read_text("utf-8")))
        except FileNotFoundError as error:
            raise ConfigError(f"{path}: no such file; see configs/train/") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: expected TOML in UTF-8, found {error}") from error
        except ValidationError as error:
            first = error.errors()[0]
            raise ConfigError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


class CorpusSettings(Settings):
    """Which texts are read; `labels` is the folder of our own sets (in the checkout), of which train rows alone are read."""

    labels: str | None = None
    exclude_sources: tuple[str, ...]
    max_characters: int
    code_dropout: float
    raw_text: dict[str, float]


class VocabularySettings(Settings):
    """Words and characters that get a token of their own."""

    size: int
    min_character_count: int


class SkipgramSettings(Settings):
    """Static vectors that start the embedding; after 0 epochs it starts from chance."""

    epochs: int
    window: int


class ModelSettings(Settings):
    """Shape of the encoder: positions are turned into the attention (modernbert, roformer) or added to the words (bert)."""

    architecture: Literal["modernbert", "roformer", "bert"] = "modernbert"
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int


class ObjectiveSettings(Settings):
    """What is learnt: `masked` words are guessed, or `replaced` words are found, which a generator of `generator_size`
    and `generator_layers` has put there; finding them weighs `weight` times guessing them."""

    name: Literal["masked", "replaced"]
    masked_share: float
    generator_size: int = 128
    generator_layers: int = 2
    weight: float = 50.0


class PretrainingSettings(Settings):
    """Length, rate and pace of pre-training."""

    sequence_length: int
    batch_size: int
    max_steps: int
    warmup_steps: int
    decay_steps: int
    learning_rate: float
    save_steps: int


class EncoderSettings(Settings):
    """configs/train/encoder.toml; `start` names an encoder, a local folder or one of the model hub, to go on from instead of
    from the texts alone."""

    seed: int
    start: str | None = None
    corpus: CorpusSettings
    vocabulary: VocabularySettings
    skipgram: SkipgramSettings
    model: ModelSettings
    objective: ObjectiveSettings
    training: PretrainingSettings


class TaskSettings(Settings):
    """How much of one task is trained: `epochs` over `max_rows` rows (of each set of pairs; all when null) in batches of
    `batch_size`."""

    epochs: int
    batch_size: int
    weight: float = 1.0
    max_rows: int | None = None


class GateSettings(Settings):
    """When a retrained model may replace the active one."""

    margin: float
    least_rows: int
    confidence: float


class WideSettings(Settings):
    """Linear model on n-grams: the inverse of its penalty, in how many texts an n-gram must stand to be known, how much a row
    of another domain says beside one of ours, and whether every class weighs the same; `code_dropout` is the share of
    texts that lose their emoji and emoji codes."""

    strength: float
    least: int = 2
    others_say: float = 1.0
    is_balanced: bool = True
    code_dropout: float = 0.5
    seed: int = 7


class TuningSettings(Settings):
    """How an encoder is trained for one set alone: `epochs` of its rows, at most `max_shown` in all."""

    epochs: float
    max_shown: int
    batch_size: int
    learning_rate: float  # of the encoder
    head_learning_rate: float
    warmup_steps: int


class ProbeSettings(Settings):
    """configs/train/probe.toml; without `tuning` the encoder stays as it is."""

    seed: int
    epochs: float
    batch_size: int
    learning_rate: float
    max_rows: int
    max_pairs: int = 15000
    held_back: float = 0.1  # share of the train rows on which the deep and the wide part are weighed against each other
    tuning: TuningSettings | None = None
    wide: WideSettings


class VariantSettings(Settings):
    """What a variant has otherwise than configs/train/encoder.toml; a vocabulary of size 0 is one of characters."""

    max_steps: int
    architecture: Literal["modernbert", "roformer", "bert"] | None = None
    objective: Literal["masked", "replaced"] | None = None
    vocabulary_size: int | None = None
    sequence_length: int | None = None
    batch_size: int | None = None
    skipgram_epochs: int | None = None


class ComparisonSettings(Settings):
    """configs/train/comparison.toml"""

    tasks: tuple[str, ...]
    probe: ProbeSettings
    variants: dict[str, VariantSettings]


class FinetuneSettings(Settings):
    """configs/train/heads.toml; `encoder` names the one to fine-tune: a local folder, or one of the model hub."""

    seed: int
    encoder: str = "data/encoder"
    learning_rate: float  # of the encoder; 0 leaves it as it is
    head_learning_rate: float
    warmup_share: float
    code_dropout: float
    max_tokens: int
    temperature: float
    foreign_values: int
    joined: float = 0.0  # share of posts that are shown as one with another of their brand
    naming_say: float = 0.0  # of telling the values that a post names from the others, beside judging each by itself
    save_steps: int
    public_say: float = 1.0  # of public rows in the heads that are kept
    wide: WideSettings
    tasks: dict[str, TaskSettings]


class RetrainSettings(Settings):
    """configs/train/retrain.toml"""

    seed: int
    epochs: float
    batch_size: int
    learning_rate: float
    save_steps: int = 100
    held_back: float
    replay_rows: int
    wide: WideSettings
    gate: GateSettings
    posts: FinetuneSettings

    def refit(self, tasks: Sequence[str]) -> FinetuneSettings:
        """Settings under which the heads of `tasks` go on alone."""
        if missing := [task for task in tasks if task not in self.posts.tasks]:
            raise ConfigError(
                f"expected [posts.tasks.{missing[0]}] in the settings, found none; see configs/train/retrain.toml"
            )
        return self.posts.model_copy(
            update={"seed": self.seed, "tasks": {task: self.posts.tasks[task] for task in tasks}}
        )
