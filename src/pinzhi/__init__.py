"""品质: is a brand's Chinese social content original, coherent with its values, and genuinely answered?

Names are imported when they are first used, so that `import pinzhi` stays fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinzhi.brand import BrandProfile
    from pinzhi.config import ScoreConfig
    from pinzhi.errors import PinzhiError
    from pinzhi.scoring import Scorer, score_post
    from pinzhi.segment import Segmenter
    from pinzhi.types import Post, PostScore

__version__ = "0.1.0"
__all__ = ["BrandProfile", "PinzhiError", "Post", "PostScore", "ScoreConfig", "Scorer", "Segmenter", "score_post"]
_HOME = {
    "BrandProfile": "brand", "PinzhiError": "errors", "Post": "types", "PostScore": "types", "ScoreConfig": "config",
    "Scorer": "scoring", "Segmenter": "segment", "score_post": "scoring",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"pinzhi.{_HOME[name]}"), name)
    raise AttributeError(f"module 'pinzhi' has no attribute {name!r}")
