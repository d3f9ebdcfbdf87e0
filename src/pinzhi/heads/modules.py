"""What is trained on top of the encoder. Shapes: n rows, t tokens, h hidden size, c classes."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pinzhi.heads.ngrams import NgramLinear, Ngrams
from pinzhi.heads.precision import short_floats


def masked_mean(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean of `hidden` [n, t, h] over the tokens that `mask` [n, t] keeps."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


@dataclass(frozen=True)
class Context:
    """The posts that comments answer: hidden states [p, s, h], mask [p, s] and which of them row i of n belongs to."""

    hidden: Tensor
    mask: Tensor
    of_row: Tensor


class ContextReader(nn.Module):
    """What a text picks out of its context: its tokens look at those of the post, which is encoded once for all its
    comments."""

    N_HEADS = 4

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(hidden_size, hidden_size) for _ in range(3))

    def forward(self, hidden: Tensor, mask: Tensor, context: Context) -> Tensor:
        """Mean [n, h] of what the tokens [n, t, h] find."""

        def by_head(vectors: Tensor) -> Tensor:
            return vectors.unflatten(-1, (self.N_HEADS, -1)).transpose(1, 2)

        key, value = by_head(self.key(context.hidden)), by_head(self.value(context.hidden))
        found = nn.functional.scaled_dot_product_attention(
            by_head(self.query(hidden)), key[context.of_row], value[context.of_row],
            attn_mask=(context.mask[context.of_row] > 0)[:, None, None, :],
        )  # fmt: skip
        return masked_mean(found.transpose(1, 2).flatten(2), mask)


@torch.no_grad()
def scale_output(layers: nn.Sequential, factor: float) -> None:
    """Multiply what `layers`, the last of them linear, say by `factor`: after training they are far too sure of themselves."""
    last = layers[-1]
    assert isinstance(last, nn.Linear)
    last.weight.mul_(factor)
    last.bias.mul_(factor)


class DeepClassifier(nn.Module):
    """First token, mean and maximum of the hidden states, with `reads_context` what they find in the post, and `n_extra`
    plain features."""

    def __init__(
        self, hidden_size: int, n_classes: int, n_extra: int = 0, reads_context: bool = False, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.context = ContextReader(hidden_size) if reads_context else None
        n_pooled = (4 if reads_context else 3) * hidden_size + n_extra
        self.layers = nn.Sequential(
            nn.Linear(n_pooled, hidden_size), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden_size, n_classes)
        )

    def pool(
        self, hidden: Tensor, mask: Tensor, *, extra: Tensor | None = None, context: Context | None = None
    ) -> Tensor:
        """What is read of each text [n, inputs of the layers]."""
        highest = hidden.masked_fill(mask.unsqueeze(-1) == 0, -1e4).amax(1)
        parts = [hidden[:, 0], masked_mean(hidden, mask), highest]
        if self.context is not None:
            assert context is not None
            parts.append(self.context(hidden, mask, context))
        return torch.cat(parts if extra is None else [*parts, extra], -1)

    def forward(
        self, hidden: Tensor, mask: Tensor, *, extra: Tensor | None = None, context: Context | None = None
    ) -> Tensor:
        """Logits [n, c]."""
        return self.layers(self.pool(hidden, mask, extra=extra, context=context))


class TextClassifier(nn.Module):
    """A deep part on hidden states and a wide part on n-grams, each trained by itself: trained together, the deep part
    leaves the wide one nothing to learn, and both err alike."""

    def __init__(self, hidden_size: int, n_classes: int, n_extra: int = 0, reads_context: bool = False) -> None:
        super().__init__()
        self.deep = DeepClassifier(hidden_size, n_classes, n_extra, reads_context)
        self.wide = NgramLinear(n_classes)

    def forward(
        self, hidden: Tensor, mask: Tensor, ngrams: Ngrams, *, extra: Tensor | None = None,
        context: Context | None = None,
    ) -> Tensor:  # fmt: skip
        """Logits [n, c] of texts, by their hidden states and n-grams."""
        return self.deep(hidden, mask, extra=extra, context=context) + self.wide(ngrams)

    @torch.no_grad()
    def scale(self, deep: float, wide: float) -> None:
        """Multiply what each part says by a factor: the deep one is far too sure of itself after training."""
        scale_output(self.deep.layers, deep)
        self.wide.weight.mul_(wide)
        self.wide.bias.mul_(wide)


def pair_classifier(hidden_size: int, n_classes: int, dropout: float = 0.1) -> nn.Sequential:
    """From what a PairReader makes of two texts [n, 4h] to logits [n, c]."""
    return nn.Sequential(
        nn.Linear(4 * hidden_size, hidden_size), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden_size, n_classes)
    )


class ByteDropout(nn.Module):
    """Dropout by random bytes, eight from each number that is drawn: torch draws one for every element, on one thread, which took a
    fifth of a step of training."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.dropped = round(256 * p)  # of 256

    def forward(self, x: Tensor) -> Tensor:
        """`x`, in training with a share of it set to 0 and the rest made larger by as much."""
        if not self.training or not self.dropped:
            return x
        drawn = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device).random_(-(2**63), 2**63 - 1)
        kept = drawn.view(torch.uint8)[: x.numel()].view(x.shape) >= self.dropped
        return x * (kept.to(x.dtype) * (256 / (256 - self.dropped)))


class PairReader(nn.Module):
    """Two texts read together: a value and a post, an earlier post and a later one. Both are encoded alone (a value once per
    brand, a post once for all values) and meet in the last layers only, which keeps the cost of a brand with five values
    near that of one pass."""

    def __init__(self, hidden_size: int, n_classes: int, n_layers: int = 2, dropout: float = 0.1) -> None:
        super().__init__()
        self.side = nn.Embedding(2, hidden_size)
        layer = nn.TransformerEncoderLayer(hidden_size, 4, 2 * hidden_size, 0.0, activation="gelu", norm_first=True)
        for place in ("dropout", "dropout1", "dropout2"):
            setattr(layer, place, ByteDropout(dropout))
        self.layers = nn.TransformerEncoder(layer, n_layers, norm=nn.LayerNorm(hidden_size), enable_nested_tensor=False)
        self.classify = pair_classifier(hidden_size, n_classes, dropout)
        self.is_short = False  # whether short floats may be multiplied

    def pool(self, one: Tensor, one_mask: Tensor, two: Tensor, two_mask: Tensor) -> Tensor:
        """What is made of texts [n, s, h] and [n, t, h], row by row [n, 4h]."""
        joint = torch.cat([one + self.side.weight[0], two + self.side.weight[1]], 1)
        # Tokens first, as torch's attention wants them inside: turned there, they would lie apart, and products of short floats
        # over such rows take ten times as long.
        joint = joint.transpose(0, 1).contiguous()
        mask = torch.cat([one_mask, two_mask], 1)
        with short_floats(self.is_short):
            mixed = self.layers(joint, src_key_padding_mask=mask == 0).float().transpose(0, 1)
        of_one = masked_mean(mixed[:, : one.shape[1]], one_mask)
        of_two = masked_mean(mixed[:, one.shape[1] :], two_mask)
        return torch.cat([of_one, of_two, of_one * of_two, (of_one - of_two).abs()], -1)

    def forward(self, one: Tensor, one_mask: Tensor, two: Tensor, two_mask: Tensor) -> Tensor:
        """Logits [n, c] for texts [n, s, h] and [n, t, h], row by row."""
        return self.classify(self.pool(one, one_mask, two, two_mask))


def set_short(modules: Iterable[nn.Module], is_short: bool) -> None:
    """Whether the readers among `modules` and their parts may multiply short floats, where the machine is fast at it."""
    for reader in (part for module in modules for part in module.modules() if isinstance(part, PairReader)):
        reader.is_short = is_short


class SentenceEmbedder(nn.Module):
    """Unit vectors in which a text lies near what says the same or is about the same, as training asks."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.project = nn.Linear(hidden_size, hidden_size)
        nn.init.eye_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def of_mean(self, mean: Tensor) -> Tensor:
        """Vectors [n, h] of texts of which the mean hidden states [n, h] are known."""
        return nn.functional.normalize(self.project(mean), dim=-1)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Vectors [n, h] of length 1."""
        return self.of_mean(masked_mean(hidden, mask))


class Relevance(nn.Module):
    """How much more a post is like a value than like values in general, those of `others` [N_OTHERS, h]: a post that is about nothing
    that a brand declares is unrelated, however good its deeds."""

    N_OTHERS = 64

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.embed = SentenceEmbedder(hidden_size)
        self.others: Tensor
        self.register_buffer("others", torch.zeros(self.N_OTHERS, hidden_size))

    def forward(self, value: Tensor, value_mask: Tensor, post: Tensor, post_mask: Tensor) -> Tensor:
        """By how many standard deviations [n] the values [n, v, h] are nearer to the posts [n, t, h] than the others are, row by row."""
        one, two = self.embed(value, value_mask), self.embed(post, post_mask)
        usual = two @ self.others.T
        return ((one * two).sum(-1) - usual.mean(-1)) / usual.std(-1).clamp(min=1e-3)


class ValueMatcher(nn.Module):
    """One value against one post: what a reader of both says, which grade the post by itself speaks for, whichever value it is about
    (a deed told in detail expresses something, a leak contradicts something), by its hidden states and by its n-grams, how much
    nearer its words are to the value than to the brand's other values, and how relevant the value is at all. The parts are trained
    apart; `weights` [5, 4] weigh them class by class, and with `bias` [4] the sum. `same_from` is how alike to the relevance
    two values of a brand are that say the same."""

    CLASSES = ("unrelated", "touches", "expresses", "contradicts")
    PARTS = ("reader", "deep", "wide", "nearness", "relevance")

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.reader = PairReader(hidden_size, len(self.CLASSES))
        self.alone = TextClassifier(hidden_size, len(self.CLASSES))
        self.relevance = Relevance(hidden_size)
        self.weights: Tensor
        self.bias: Tensor
        self.register_buffer("weights", torch.ones(len(self.PARTS), len(self.CLASSES)))
        self.register_buffer("bias", torch.zeros(len(self.CLASSES)))
        self.same_from: Tensor
        self.register_buffer("same_from", torch.tensor(1.0))

    def of_any(self, post: Tensor, mask: Tensor, ngrams: Ngrams) -> Tensor:
        """What the deep and the wide part make of posts [p, t, h] with their n-grams, whichever value is asked about [p, 2, 4]."""
        return torch.stack([self.alone.deep(post, mask), self.alone.wide(ngrams)], 1)

    def parts(
        self, value: Tensor, value_mask: Tensor, post: Tensor, post_mask: Tensor, of_any: Tensor, nearness: Tensor
    ) -> Tensor:
        """What each part says [n, 5, 4] of values [n, v, h] and posts [n, t, h], of which `of_any` [n, 2, 4] and `nearness` [n]
        are known, row by row. Logits have a mean of 0; what is one number is there for every class."""
        both = value, value_mask, post, post_mask
        logits = torch.cat([self.reader(*both).unsqueeze(1), of_any], 1)
        numbers = torch.stack([nearness, self.relevance(*both)], 1).unsqueeze(-1).expand(-1, -1, len(self.CLASSES))
        return torch.cat([logits - logits.mean(-1, keepdim=True), numbers], 1)

    def weigh(self, parts: Tensor) -> Tensor:
        """Logits [n, 4] from what the parts say [n, 5, 4]."""
        return (parts * self.weights).sum(1) + self.bias


class EvidenceJudge(nn.Module):
    """From the evidence of a pair of texts [n, n_features] to logits [n, c]."""

    def __init__(self, n_features: int, n_classes: int, width: int = 48, dropout: float = 0.1) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.layers = nn.Sequential(
            nn.Linear(n_features, width), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(width, width), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(width, n_classes),
        )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        """Logits [n, c]."""
        return self.layers((features - self.mean) / self.scale)


class PairJudge(nn.Module):
    """Whether a later post is original or a duplicate, rewrite or quote of an earlier one, in two parts: the evidence, which is
    cheap and enough for copies, and a reader of both texts, which also knows what was said in other words. The parts are
    trained apart; `factors` weigh them where both speak."""

    CLASSES = ("original", "duplicate", "rewrite", "quote")

    def __init__(self, hidden_size: int, n_features: int) -> None:
        super().__init__()
        self.evidence = EvidenceJudge(n_features, len(self.CLASSES))
        self.reader = PairReader(hidden_size, len(self.CLASSES))
        self.factors: Tensor
        self.register_buffer("factors", torch.ones(2))

    def forward(self, features: Tensor, read: Tensor | None = None) -> Tensor:
        """Logits [n, 4] from the evidence [n, n_features] and, where the texts were read, the reader's logits [n, 4]."""
        if read is None:
            return self.evidence(features)
        return self.factors[0] * self.evidence(features) + self.factors[1] * read
