"""Texts in, probabilities out: the active heads on the shared encoder. Batches are sorted by length."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pinzhi.errors import ModelError
from pinzhi.heads.encoder import Batch, Encoder, clip, pad_states
from pinzhi.heads.modules import Context, PairJudge, SentenceEmbedder, TextClassifier, ValueMatcher, set_short
from pinzhi.heads.nearness import Nearness
from pinzhi.heads.ngrams import hash_ngrams
from pinzhi.heads.store import open_active
from pinzhi.memory import hand_back
from pinzhi.quotation import is_attributed, own_words
from pinzhi.segment import Segmenter
from pinzhi.text import normalise

POST_CONTEXT_TOKENS = 48  # of the post that a comment answers
COMMENT_TOKENS = 160
POSTS_AT_ONCE = 512  # whose hidden states are held while their comments are read: 26 MB
PAIR_TOKENS = 128  # of each of two posts that are read together
PAIRS_AT_ONCE = 128  # whose texts are encoded, each once, and held: 34 MB at most
MATCH_BATCH = 16  # (value, post) pairs in one pass of the matcher; more is no faster and leaves holes in memory
MANNERS = ("own", "template", "quote")

# torch's own short cut through a transformer layer is the longer way on a CPU: 60 ms against 44 for 16 pairs.
torch.backends.mha.set_fastpath_enabled(False)


def manner_features(text: str) -> tuple[float, float, float]:
    """Plain features of a text on its own: openly attributed, share of own words, length of own words."""
    start, end = own_words(text)
    return float(is_attributed(text)), (end - start) / max(1, len(text)), min(1.0, (end - start) / 200)


def build_head(name: str, hidden_size: int, n_features: int) -> nn.Module:
    """The untrained module of head `name`; `n_features` is the length of the evidence of a pair, for the head that judges it."""
    builders: dict[str, Callable[[], nn.Module]] = {
        "sentiment": lambda: TextClassifier(hidden_size, 3, reads_context=True),
        "authenticity": lambda: TextClassifier(hidden_size, 5, reads_context=True),
        "embedding": lambda: SentenceEmbedder(hidden_size),
        "manner": lambda: TextClassifier(hidden_size, len(MANNERS), n_extra=3),
        "coherence": lambda: ValueMatcher(hidden_size),
        "originality": lambda: PairJudge(hidden_size, n_features),
    }
    return builders[name]()


def load_weights(module: nn.Module, path: Path) -> nn.Module:
    """`module` with the weights of a safetensors file, in single precision. Raises ModelError."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        module.load_state_dict(
            {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in load_file(path).items()}
        )
    except (SafetensorError, RuntimeError, OSError) as error:
        raise ModelError(f"{path}: expected weights of {type(module).__name__}, found {error}") from error
    return module


@dataclass(frozen=True)
class EncodedValues:
    """The v values of a brand: hidden states [v, s, h] with their mask [v, s], token ids, and those of posts that are known to
    express or contradict each of them."""

    hidden: Tensor
    mask: Tensor
    ids: Sequence[Sequence[int]]
    examples: Sequence[Sequence[Sequence[int]]]


@dataclass(frozen=True)
class Views:
    """Posts as they are shown to the matcher, n times whole or without a clause: hidden states of the posts [p, t, h], which of
    them a view shows [n], which of its tokens [n, t], what is left of its text, and how near that is to each value [n, v]."""

    hidden: Tensor
    of_post: Tensor
    mask: Tensor
    texts: Sequence[str]
    near: np.ndarray

    def shown(self, which: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states and mask of some views."""
        mask = self.mask[which]
        # The matcher knows no positions: hidden tokens go behind the shown ones and are cut off.
        kept = mask.argsort(dim=1, descending=True, stable=True)[:, : int(mask.sum(1).max())]
        return self.hidden[self.of_post[which][:, None], kept], mask.gather(1, kept)


class Heads:
    """Everything that is trained, loaded once from a store and safe to use from several threads."""

    NAMES = ("sentiment", "authenticity", "embedding", "manner", "coherence", "originality")

    def __init__(self, encoder: Encoder, modules: Mapping[str, nn.Module], temperature: Mapping[str, float]) -> None:
        self.encoder = encoder
        self._modules = {name: module.eval() for name, module in modules.items()}
        self._temperature = {name: temperature.get(name, 1.0) for name in modules}

    @classmethod
    def load(cls, models: Path, segmenter: Segmenter, is_short: bool = False) -> "Heads":
        """The active versions of a store, every digest checked; with `is_short` they multiply short floats where the machine
        is fast at it. Raises ModelError."""
        active = open_active(models, "encoder")
        if active.manifest["segmenter"] != segmenter.id:
            raise ModelError(
                f"{active.folder}: expected segmenter {active.manifest['segmenter']}, found {segmenter.id}; "
                "install the pinned jieba or retrain"
            )
        encoder = Encoder.load(active.folder, segmenter)
        modules, temperature = {}, {}
        for name in cls.NAMES:
            version = open_active(models, name)
            if version.manifest["encoder"] != active.version:
                raise ModelError(
                    f"{version.folder}: expected a head of encoder {active.version}, found one of "
                    f"{version.manifest['encoder']}; promote versions that were trained together"
                )
            module = build_head(name, encoder.hidden_size, len(version.manifest.get("features", ())))
            modules[name] = load_weights(module, version.folder / "model.safetensors")
            temperature[name] = float(version.manifest.get("temperature", 1.0))
        encoder.is_short = is_short
        set_short(modules.values(), is_short)
        return cls(encoder, modules, temperature)

    def copy(self, head: str) -> nn.Module:
        """A copy of `head`, to train on from."""
        return deepcopy(self._modules[head])

    def replaced(self, modules: Mapping[str, nn.Module], temperature: Mapping[str, float]) -> "Heads":
        """The same with other `modules` in the place of some heads."""
        return Heads(self.encoder, {**self._modules, **modules}, {**self._temperature, **temperature})

    def temperature(self, head: str) -> float:
        """Temperature that calibrates `head`; 1 where nothing was fitted."""
        return self._temperature.get(head, 1.0)

    @property
    def _matcher(self) -> ValueMatcher:
        matcher = self._modules["coherence"]
        assert isinstance(matcher, ValueMatcher)
        return matcher

    def _probabilities(self, head: str, logits: Tensor) -> np.ndarray:
        return (logits / self._temperature[head]).softmax(-1).numpy()

    @torch.inference_mode()
    def comments(self, texts: Sequence[str], posts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities of sentiment [n, 3] and authenticity [n, 5] of comments under `posts` ("" where unknown).

        Archives repeat themselves (转发微博, waves of one wording): equal words under one post are read once.
        """
        row_of: dict[tuple[str, str], int] = {}
        rows = np.array(
            [row_of.setdefault(pair, len(row_of)) for pair in zip(texts, posts, strict=True)], dtype=np.int64
        )
        said = [text for text, _ in row_of]
        sentiment, authenticity = np.zeros((len(said), 3), np.float32), np.zeros((len(said), 5), np.float32)
        for at, hidden, mask, context in self.read_comments(said, [post for _, post in row_of]):
            grams = hash_ngrams([said[row] for row in at])
            for name, into in (("sentiment", sentiment), ("authenticity", authenticity)):
                into[at] = self._probabilities(name, self._modules[name](hidden, mask, grams, context=context))
        return sentiment[rows], authenticity[rows]

    def read_comments(
        self, texts: Sequence[str], posts: Sequence[str]
    ) -> Iterator[tuple[np.ndarray, Tensor, Tensor, Context]]:
        """Comments through the encoder: row numbers, hidden states, mask, and the posts that they answer, each of which
        is encoded once. At most POSTS_AT_ONCE posts are held."""
        by_post: dict[str, list[int]] = {}
        for row, post in enumerate(posts):
            by_post.setdefault(post, []).append(row)
        distinct = list(by_post)
        for start in range(0, len(distinct), POSTS_AT_ONCE):
            shown = distinct[start : start + POSTS_AT_ONCE]
            hidden, mask = self._encoded(
                [clip(ids, POST_CONTEXT_TOKENS) for ids in self.encoder.token_ids(shown)], "post"
            )
            rows = np.array([row for post in shown for row in by_post[post]])
            of_row = np.repeat(np.arange(len(shown)), [len(by_post[post]) for post in shown])
            said = self.encoder.token_ids([texts[row] for row in rows], COMMENT_TOKENS)
            for batch in self.encoder.batches([self.encoder.single(ids, "comment") for ids in said]):
                context = Context(hidden, mask, torch.from_numpy(of_row[batch.rows]))
                yield rows[batch.rows], self.encoder.hidden(batch.ids, batch.mask), batch.mask, context

    def _encoded(self, texts: Sequence[list[int]], role: str) -> tuple[Tensor, Tensor]:
        """Hidden states and mask of all texts as one block."""
        return pad_states(self.encoder.states(texts, role))

    @torch.inference_mode()
    def posts(self, texts: Sequence[str], ids: Sequence[list[int]] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors [n, h] and probabilities of the manner [n, 3] of posts; `ids` are their tokens where they are known."""
        sequences = [self.encoder.single(one, "post") for one in ids or self.encoder.token_ids(texts)]
        vectors = np.zeros((len(texts), self.encoder.hidden_size), np.float32)
        manner = np.zeros((len(texts), len(MANNERS)), np.float32)
        for batch in self.encoder.batches(sequences):
            hidden = self.encoder.hidden(batch.ids, batch.mask)
            chosen = [texts[row] for row in batch.rows]
            vectors[batch.rows] = self._modules["embedding"](hidden, batch.mask).numpy()
            logits = self._modules["manner"](
                hidden, batch.mask, hash_ngrams(chosen),
                extra=torch.tensor([manner_features(text) for text in chosen]),
            )  # fmt: skip
            manner[batch.rows] = self._probabilities("manner", logits)
        return vectors, manner

    @torch.inference_mode()
    def encode_values(self, values: Sequence[str], examples: Sequence[Sequence[str]] = ()) -> EncodedValues:
        """The value texts of one brand, encoded once, with `examples` of posts for each of them."""
        ids = self.encoder.token_ids(values)
        return EncodedValues(
            *self._encoded(ids, "value"), ids, [self.encoder.token_ids(texts) if texts else [] for texts in examples]
        )

    @torch.inference_mode()
    def value_likeness(self, values: EncodedValues) -> np.ndarray:
        """How alike each two values are: cosines [v, v]."""
        vectors = self._matcher.relevance.embed(values.hidden, values.mask)
        return (vectors @ vectors.T).numpy()

    @property
    def same_from(self) -> float:
        """The likeness from which two values of a brand say the same."""
        return float(self._matcher.same_from)

    @cached_property
    def _nearness(self) -> Nearness:
        return Nearness(self.encoder.word_vectors.numpy(), self.encoder.token_weights)

    def _near(self, values: EncodedValues, post: "Clauses", shown: np.ndarray) -> np.ndarray:
        """How near a post is to each value [m, v], with the tokens that each row of `shown` [m, t] leaves."""
        return self._nearness(values.ids, post.ids, shown, values.examples)

    @torch.inference_mode()
    def coherence(
        self, texts: Sequence[str], values: EncodedValues, explain_from: float
    ) -> tuple[np.ndarray, list[list[list[tuple[int, int]]]]]:
        """Probabilities [n, v, 4] (ValueMatcher.CLASSES) of posts against encoded values, and for each post and value
        the raw spans whose hiding lowers the leading probability most, where that is at least `explain_from` and half of
        what leads the post."""
        n_values = len(values.ids)
        result = np.zeros((len(texts), n_values, len(ValueMatcher.CLASSES)), np.float32)
        spans: list[list[list[tuple[int, int]]]] = [[[] for _ in range(n_values)] for _ in texts]
        clauses = [Clauses(text, self.encoder) for text in texts]
        for batch, views, pairs in self._batches_of_views(clauses, values):
            read = [clauses[row] for row in batch.rows]
            result[batch.rows] = self._match(values, views, pairs).reshape(len(read), n_values, -1)
            lead = result[batch.rows, :, 2:].argmax(2) + 2
            leading = result[batch.rows, :, 2:].max(2)
            is_told = leading >= np.maximum(explain_from, leading.max(1, keepdims=True) / 2)
            told = [pair for pair in pairs if is_told[pair]]
            falls = self._falls(values, views, told, read)
            for (at, v), p in zip(told, falls, strict=True):
                row, side = batch.rows[at], lead[at, v]
                spans[row][v] = _carrying(clauses[row], result[row, v, side], p[:, side])
            if len(texts) > 1:  # a draft has other things to do
                hand_back()
        return result, spans

    @torch.inference_mode()
    def value_parts(self, texts: Sequence[str], values: EncodedValues) -> np.ndarray:
        """What each part of the matcher says of posts against encoded values [n, v, 5, 4], before they are weighed."""
        result = np.zeros((len(texts), len(values.ids), len(ValueMatcher.PARTS), len(ValueMatcher.CLASSES)), np.float32)
        for batch, views, pairs in self._batches_of_views([Clauses(text, self.encoder) for text in texts], values):
            result[batch.rows] = self._parts(values, views, pairs).reshape(len(batch.rows), *result.shape[1:]).numpy()
        return result

    def _batches_of_views(
        self, clauses: Sequence["Clauses"], values: EncodedValues
    ) -> Iterator[tuple[Batch, Views, list[tuple[int, int]]]]:
        """Batches of whole posts, as views in the order of the batch, and the pairs of each view and each value."""
        for batch in self.encoder.batches([self.encoder.single(one.ids, "post") for one in clauses], budget=2048):
            read = [clauses[row] for row in batch.rows]
            near = [self._near(values, one, np.ones((1, len(one.ids)), bool)) for one in read]
            views = Views(
                self.encoder.hidden(batch.ids, batch.mask), torch.arange(len(read)), batch.mask,
                [one.text for one in read], np.concatenate(near),
            )  # fmt: skip
            yield batch, views, [(at, v) for at in range(len(read)) for v in range(len(values.ids))]

    def _match(self, values: EncodedValues, views: Views, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
        """Probabilities [n, 4] of `pairs` of a view and a value."""
        return self._probabilities("coherence", self._matcher.weigh(self._parts(values, views, pairs)))

    def _parts(self, values: EncodedValues, views: Views, pairs: Sequence[tuple[int, int]]) -> Tensor:
        """What each part of the matcher says [n, 5, 4] of `pairs` of a view and a value."""
        of_any = []
        for at in range(0, len(views.texts), MATCH_BATCH):
            texts = views.texts[at : at + MATCH_BATCH]
            of_any.append(self._matcher.of_any(*views.shown(torch.arange(at, at + len(texts))), hash_ngrams(texts)))
        known, near = torch.cat(of_any), torch.from_numpy(views.near)
        parts = []
        for batch in torch.tensor(pairs).split(MATCH_BATCH):
            view, value = batch.unbind(1)
            parts.append(
                self._matcher.parts(
                    values.hidden[value], values.mask[value], *views.shown(view), known[view], near[view, value]
                )
            )
        return torch.cat(parts)

    def _falls(
        self, values: EncodedValues, whole: Views, told: Sequence[tuple[int, int]], clauses: Sequence["Clauses"]
    ) -> list[np.ndarray]:
        """For each (post, value) of `told` the probabilities [n clauses, 4] without each clause of the post, which are those of
        `whole` in their order."""
        counts = {at: len(clauses[at].spans) for at, _ in told}
        if not sum(counts.values()):
            return [np.zeros((0, len(ValueMatcher.CLASSES)), np.float32) for _ in told]
        of_post = torch.tensor([at for at, count in counts.items() for _ in range(count)])
        masks, near, first, n = whole.mask[of_post], [], {}, 0
        for at, count in counts.items():
            rest = clauses[at].shown_without_each()
            masks[n : n + count, 2 : 2 + rest.shape[1]] *= torch.from_numpy(rest)  # after [CLS] and the role mark
            near.append(self._near(values, clauses[at], rest))
            first[at], n = n, n + count
        texts = [text for at in counts for text in clauses[at].without_each()]
        pairs = [(first[at] + clause, v) for at, v in told for clause in range(counts[at])]
        p = self._match(values, Views(whole.hidden, of_post, masks, texts, np.concatenate(near)), pairs)
        return np.split(p, np.cumsum([counts[at] for at, _ in told])[:-1])

    @torch.inference_mode()
    def judge(self, features: np.ndarray, pairs: Sequence[tuple[str, str]] | None = None) -> np.ndarray:
        """Probabilities [n, 4] (PairJudge.CLASSES) from the evidence of pairs [n, f] and, where the texts are given as `pairs`
        (earlier, later), from reading them."""
        if not len(features):
            return np.zeros((0, len(PairJudge.CLASSES)), np.float32)
        read = None if pairs is None else torch.from_numpy(self.read_pairs(pairs))
        return self._probabilities("originality", self._modules["originality"](torch.from_numpy(features), read))

    @torch.inference_mode()
    def read_pairs(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """Logits [n, 4] of the reader for (earlier, later) texts, of which it sees PAIR_TOKENS each."""
        judge = self._modules["originality"]
        assert isinstance(judge, PairJudge)
        texts = sorted({text for pair in pairs for text in pair})
        ids = dict(zip(texts, self.encoder.token_ids(texts, PAIR_TOKENS), strict=True))
        logits = np.zeros((len(pairs), len(PairJudge.CLASSES)), np.float32)
        # Pairs of one later text stay together, so that it is encoded once for them.
        order = sorted(range(len(pairs)), key=lambda row: (len(ids[pairs[row][1]]), pairs[row][::-1]))
        for start in range(0, len(order), PAIRS_AT_ONCE):
            rows = order[start : start + PAIRS_AT_ONCE]
            read = sorted({text for row in rows for text in pairs[row]})
            states = dict(zip(read, self.encoder.states([ids[text] for text in read], "post"), strict=True))
            rows.sort(key=lambda row: sum(len(states[text]) for text in pairs[row]))
            for at in range(0, len(rows), MATCH_BATCH):
                chosen = rows[at : at + MATCH_BATCH]
                sides = [pad_states([states[pairs[row][side]] for row in chosen]) for side in (0, 1)]
                logits[chosen] = judge.reader(*sides[0], *sides[1]).numpy()
        return logits


def _carrying(clauses: "Clauses", p: float, without: np.ndarray) -> list[tuple[int, int]]:
    """Raw spans of up to two clauses without which the probability `p` falls by a fifth or, failing that, most.
    `without` [n clauses] is what it falls to."""
    if len(clauses.spans) < 2:
        return list(clauses.spans)
    fall = p - without
    order = np.argsort(-fall, kind="stable")
    kept = [i for i in order[:2] if fall[i] >= 0.2 * p] or [order[0]]
    return sorted(clauses.spans[i] for i in kept)


class Clauses:
    """A post cut at its punctuation: token ids, the token range and the raw span of each clause that the model reads."""

    MARKS = frozenset("。！？!?；;，,、…~\n")
    SHORTEST = 7  # characters; a shorter clause goes with the one after it, for a reader wants to see a thought
    MOST = 12  # about as many clauses; those of a long post are longer

    def __init__(self, text: str, encoder: Encoder, max_tokens: int = 256) -> None:
        clean = normalise(text)
        seen = clean.text[: 4 * max_tokens]  # no word of Chinese is longer on average
        shortest = max(self.SHORTEST, min(len(seen), 2 * max_tokens) // self.MOST)
        spans: list[tuple[int, int]] = []
        start = 0
        for position, char in enumerate(seen):
            if char in self.MARKS and position - start >= shortest:
                spans.append((start, position + 1))
                start = position + 1
        if start < len(seen):
            spans.append((start, len(seen)))
        ids = encoder.word_ids([" ".join(encoder.segmenter.cut(seen[a:b])) for a, b in spans])
        self.text = text
        self.ids: list[int] = []
        self.tokens: list[tuple[int, int]] = []
        self.spans: list[tuple[int, int]] = []
        for (first, last), tokens in zip(spans, ids, strict=True):
            at = len(self.ids)
            self.ids = (self.ids + tokens)[:max_tokens]
            if at < len(self.ids):
                self.tokens.append((at, len(self.ids)))
                self.spans.append(clean.raw_span(first, last))

    def without_each(self) -> list[str]:
        """The text without each clause in turn."""
        return [self.text[:first] + self.text[last:] for first, last in self.spans]

    def shown_without_each(self) -> np.ndarray:
        """Which tokens [n spans, n tokens] are left without each clause in turn."""
        shown = np.ones((len(self.spans), len(self.ids)), bool)
        for row, (first, last) in enumerate(self.tokens):
            shown[row, first:last] = False
        return shown
