"""What a training run may be told, as frozen models over `configs/train/*.toml`; unknown keys are refused."""

import tomllib
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
    """Which texts are read."""

    exclude_sources: tuple[str, ...]
    max_characters: int
    code_dropout: float
    raw_text: dict[str, float]


class VocabularySettings(Settings):
    """Words and characters that get a token of their own."""

    size: int
    min_character_count: int


class SkipgramSettings(Settings):
    """Static vectors that start the embedding."""

    epochs: int
    window: int


class ModelSettings(Settings):
    """Shape of the encoder."""

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
    """configs/train/encoder.toml"""

    seed: int
    corpus: CorpusSettings
    vocabulary: VocabularySettings
    skipgram: SkipgramSettings
    model: ModelSettings
    objective: ObjectiveSettings
    training: PretrainingSettings


class TaskSettings(Settings):
    """How much of one task is trained: `epochs` over `max_rows` rows (all when null) in batches of `batch_size`."""

    epochs: int
    batch_size: int
    weight: float = 1.0
    max_rows: int | None = None


class GateSettings(Settings):
    """When a retrained model may replace the active one."""

    margin: float
    least_rows: int
    confidence: float


class ProbeSettings(Settings):
    """configs/train/probe.toml"""

    seed: int
    epochs: float
    batch_size: int
    learning_rate: float
    wide_learning_rate: float
    max_rows: int


class FinetuneSettings(Settings):
    """configs/train/heads.toml"""

    seed: int
    learning_rate: float  # of the encoder; 0 leaves it as it is
    head_learning_rate: float
    wide_learning_rate: float
    warmup_share: float
    code_dropout: float
    max_tokens: int
    temperature: float
    foreign_values: int
    save_steps: int
    tasks: dict[str, TaskSettings]


class RetrainSettings(Settings):
    """configs/train/retrain.toml"""

    seed: int
    epochs: float
    batch_size: int
    learning_rate: float
    wide_learning_rate: float
    held_back: float
    replay_rows: int
    gate: GateSettings
    posts: FinetuneSettings

    def refit(self, task: str) -> FinetuneSettings:
        """Settings under which the head of `task` goes on alone."""
        if task not in self.posts.tasks:
            raise ConfigError(
                f"expected [posts.tasks.{task}] in the settings, found none; see configs/train/retrain.toml"
            )
        return self.posts.model_copy(update={"seed": self.seed, "tasks": {task: self.posts.tasks[task]}})
