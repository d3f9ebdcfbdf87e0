"""One encoder, all heads, trained together: batches of one task each, in random order."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from pinzhi.heads.encoder import Encoder, clip, hidden_states, pad
from pinzhi.heads.modules import (
    Context,
    DeepClassifier,
    PairJudge,
    SentenceEmbedder,
    TextClassifier,
    ValueMatcher,
    pair_classifier,
    set_short,
)
from pinzhi.heads.predict import MANNERS, PAIR_TOKENS, POST_CONTEXT_TOKENS, Heads, build_head, manner_features
from pinzhi.labels import Grade
from pinzhi.originality.evidence import FEATURES
from pinzhi.text import without_emoticons
from pinzhi.training.data import (
    AUTHENTICITIES,
    PUBLIC_LABELS,
    RELATIONS,
    SAME,
    SENTIMENTS,
    CoherenceRow,
    CommentRow,
    MannerRow,
    PairRow,
    RelationRow,
    Target,
    Value,
    joined,
    varied,
)
from pinzhi.training.settings import FinetuneSettings

TaskBatch = dict[str, Any]


class MultiTask(nn.Module):
    """The encoder with every head; `forward` takes a batch of one task and returns its loss."""

    def __init__(self, trunk: nn.Module, hidden_size: int, settings: FinetuneSettings) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleDict({head: build_head(head, hidden_size, len(FEATURES)) for head in Heads.NAMES})
        set_short(self.heads.values(), True)
        # Public sets disagree with us and with each other on what is praise: each has labels of its own, and a small say
        # in ours.
        self.public = DeepClassifier(hidden_size, len(PUBLIC_LABELS))
        # Practice for the two readers and, through a projection, for the mean of the hidden states; not kept either.
        self.relation = pair_classifier(hidden_size, len(RELATIONS))
        self.paraphrase = pair_classifier(hidden_size, 1)
        self.embed = SentenceEmbedder(hidden_size)
        self.settings = settings

    def encode(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Hidden states of the trunk."""
        return hidden_states(self.trunk, ids, mask, True)

    def forward(self, task: str, **batch: Any) -> dict[str, Tensor]:
        """The weighted loss of one batch."""
        losses: dict[str, Callable[..., Tensor]] = {
            "comments": self._comments, "public": self._public, "coherence": self._coherence,
            "likeness": self._likeness, "rewrite": self._contrast, "manner": self._manner, "relation": self._relation,
            "pairs": self._pairs,
        }  # fmt: skip
        return {"loss": losses[task](**batch) * self.settings.tasks[task].weight}

    def _deep(self, head: str) -> DeepClassifier:
        classifier = self.heads[head]
        assert isinstance(classifier, TextClassifier)
        return classifier.deep

    def _ours(self, hidden: Tensor, mask: Tensor, context: Context, sentiment: Tensor, authenticity: Tensor) -> Tensor:
        return sum(
            (marginal_loss(self._deep(head)(hidden, mask, context=context), target)
             for head, target in (("sentiment", sentiment), ("authenticity", authenticity))),
            torch.zeros(()),
        )  # fmt: skip

    def _comments(
        self, ids: Tensor, mask: Tensor, posts: tuple[Tensor, Tensor], post_of: Tensor, sentiment: Tensor,
        authenticity: Tensor,
    ) -> Tensor:  # fmt: skip
        context = Context(self.encode(*posts), posts[1], post_of)
        return self._ours(self.encode(ids, mask), mask, context, sentiment, authenticity)

    def _public(
        self, ids: Tensor, mask: Tensor, posts: tuple[Tensor, Tensor], post_of: Tensor, sentiment: Tensor,
        authenticity: Tensor, public: Tensor,
    ) -> Tensor:  # fmt: skip
        hidden, context = self.encode(ids, mask), Context(self.encode(*posts), posts[1], post_of)
        ours = self._ours(hidden, mask, context, sentiment, authenticity)
        return marginal_loss(self.public(hidden, mask), public) + self.settings.public_say * ours

    def _manner(self, ids: Tensor, mask: Tensor, extra: Tensor, label: Tensor) -> Tensor:
        return functional.cross_entropy(self._deep("manner")(self.encode(ids, mask), mask, extra=extra), label)

    def _coherence(
        self, posts: tuple[Tensor, Tensor], values: tuple[Tensor, Tensor], post_of: Tensor, value_of: Tensor,
        declared: Tensor, target: Tensor, touched: Tensor, grade: Tensor,
    ) -> Tensor:  # fmt: skip
        matcher = self.heads["coherence"]
        assert isinstance(matcher, ValueMatcher)
        post, value = self.encode(*posts), self.encode(*values)
        logits = matcher.reader(value[value_of], values[1][value_of], post[post_of], posts[1][post_of])
        loss = marginal_loss(logits, target) + functional.cross_entropy(matcher.alone.deep(post, posts[1]), grade)
        for side in map(ValueMatcher.CLASSES.index, ("expresses", "contradicts")):
            odds = logits[:, side] - torch.cat([logits[:, :side], logits[:, side + 1 :]], 1).logsumexp(1)
            loss = loss + self.settings.naming_say * naming_loss(odds, *sides(target, side), post_of)
        if touched.numel():  # grade 2 without a list: some value is touched, nobody says which
            p_touches = logits.softmax(-1)[:, ValueMatcher.CLASSES.index("touches")]
            missed = torch.stack(
                [torch.log1p(-p_touches[declared & (post_of == post)].clamp(max=0.999)).sum() for post in touched]
            )
            loss = loss - torch.log1p(-missed.exp().clamp(max=0.999)).mean()
        return loss

    def _relation(
        self, posts: tuple[Tensor, Tensor], values: tuple[Tensor, Tensor], post_of: Tensor, target: Tensor
    ) -> Tensor:
        matcher = self.heads["coherence"]
        assert isinstance(matcher, ValueMatcher)
        post, value = self.encode(*posts), self.encode(*values)
        pooled = matcher.reader.pool(value, values[1], post[post_of], posts[1][post_of])
        return marginal_loss(self.relation(pooled), target)

    def _pairs(self, earlier: tuple[Tensor, Tensor], later: tuple[Tensor, Tensor], label: Tensor) -> Tensor:
        judge = self.heads["originality"]
        assert isinstance(judge, PairJudge)
        said = judge.reader(self.encode(*earlier), earlier[1], self.encode(*later), later[1])
        return functional.cross_entropy(said, label)

    def _embed(self, texts: tuple[Tensor, Tensor]) -> Tensor:
        return self.embed(self.encode(*texts), texts[1])

    def _contrast(
        self, left: tuple[Tensor, Tensor], right: tuple[Tensor, Tensor], hard: tuple[Tensor, Tensor] | None
    ) -> Tensor:
        a, b = self._embed(left), self._embed(right)
        others = b if hard is None else torch.cat([b, self._embed(hard)])
        label = torch.arange(len(a))
        forward = functional.cross_entropy(a @ others.T / self.settings.temperature, label)
        return forward + functional.cross_entropy(b @ a.T / self.settings.temperature, label)

    def _likeness(self, left: tuple[Tensor, Tensor], right: tuple[Tensor, Tensor], likeness: Tensor) -> Tensor:
        judge = self.heads["originality"]
        assert isinstance(judge, PairJudge)
        one, two = self.encode(*left), self.encode(*right)
        a, b = self.embed(one, left[1]), self.embed(two, right[1])
        score = a @ b.T / self.settings.temperature
        same = (likeness >= SAME).nonzero().squeeze(-1)  # they must also find each other among all the others
        found = functional.cross_entropy(score[same], same) if len(same) else score.sum() * 0
        read = self.paraphrase(judge.reader.pool(one, left[1], two, right[1])).squeeze(-1)
        return (
            order_loss(score.diagonal(), likeness) + found + functional.binary_cross_entropy_with_logits(read, likeness)
        )


def order_loss(score: Tensor, likeness: Tensor) -> Tensor:
    """log(1 + sum of exp(score_j − score_i)) over all pairs i, j of which i is the more alike (CoSENT: Su, 2022)."""
    wrong = (score[None, :] - score[:, None])[likeness[:, None] > likeness[None, :]]
    return torch.cat([wrong.new_zeros(1), wrong]).logsumexp(0)


def sides(target: Tensor, label: int) -> tuple[Tensor, Tensor]:
    """Masks [n] of the rows whose only allowed class is `label`, and of those where it is not allowed."""
    allowed, among = target
    return allowed[:, label] & (allowed.sum(-1) == 1), ~allowed[:, label] & among.any(-1)


def naming_loss(score: Tensor, is_named: Tensor, is_other: Tensor, of_post: Tensor) -> Tensor:
    """Mean over posts of −log of the share that the named values have of exp(score) [n] of the post's named and other
    values: which of them it is matters as much as whether there is one. Posts without both are skipped."""
    of = of_post == torch.arange(int(of_post.max()) + 1)[:, None]
    of = of[(of & is_named).any(1) & (of & is_other).any(1)]
    if not len(of):
        return score.sum() * 0
    named, both = (torch.where(of & mask, score, -torch.inf).logsumexp(1) for mask in (is_named, is_named | is_other))
    return (both - named).mean()


def marginal_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Mean of −log P(allowed | among); `target` [2, n, c] holds both masks, rows without a target are skipped."""
    allowed, among = target
    known = among.any(-1)
    if not bool(known.any()):
        return logits.sum() * 0
    logits = logits[known]
    of_allowed = logits.masked_fill(~allowed[known], -torch.inf).logsumexp(-1)
    return (logits.masked_fill(~among[known], -torch.inf).logsumexp(-1) - of_allowed).mean()


def target_masks(targets: Sequence[Target | None], n_classes: int) -> Tensor:
    """Masks [2, n, c] of `allowed` and `among`; all false where nothing is known."""
    masks = torch.zeros((2, len(targets), n_classes), dtype=torch.bool)
    for row, target in enumerate(targets):
        if target is not None:
            masks[0, row, list(target.allowed)] = True
            masks[1, row, list(target.among)] = True
    return masks


def value_target(row: CoherenceRow, key: str, declared: bool) -> Target:
    """What the annotation of a post says of one value."""
    everything = (0, 1, 2, 3)
    if not declared:
        return Target((0, 1), everything)
    if key in row.contradicts:
        return Target((3,), everything)
    if key in row.expresses:
        return Target((2,), everything)
    if row.touches is not None and key in row.touches:
        return Target((1,), everything)
    return Target((0,) if row.grade == 1 or row.touches is not None else (0, 1), everything)


def grade_class(row: CoherenceRow) -> int:
    """The grade of a post as a class of `ValueMatcher`."""
    return ValueMatcher.CLASSES.index(Grade(row.grade).name.lower())


class BatchMaker:
    """Rows of every task to batches of tensors; text is segmented once. Equal rows and an equal `chance` give equal batches."""

    def __init__(self, encoder: Encoder, settings: FinetuneSettings) -> None:
        self.encoder = encoder
        self.settings = settings
        self._ids: dict[str, list[int]] = {}

    def prepare(self, texts: Sequence[str]) -> None:
        """Segment and tokenise `texts`, with and without emoji codes, in one go."""
        wanted = sorted({*texts, *map(without_emoticons, texts)} - self._ids.keys())
        self._ids.update(zip(wanted, self.encoder.token_ids(wanted, self.settings.max_tokens), strict=True))

    def _padded(self, texts: Sequence[str], role: str, max_tokens: int | None = None) -> tuple[Tensor, Tensor]:
        most = max_tokens or self.settings.max_tokens
        ids = [self.encoder.single(clip(self._ids[text], most), role) for text in texts]
        return pad(ids, self.encoder.tokenizer.pad_token_id)

    def _varied(self, texts: Iterable[str], chance: random.Random) -> list[str]:
        """`texts`, some of them without their emoji and emoji codes."""
        return [varied(text, self.settings.code_dropout, chance) for text in texts]

    def comments(self, rows: Sequence[CommentRow], chance: random.Random) -> TaskBatch:
        """Comments with their posts."""
        ids, mask = self._padded(self._varied([row.text for row in rows], chance), "comment")
        posts: dict[str, int] = {}
        post_of = [posts.setdefault(row.post, len(posts)) for row in rows]
        return {
            "ids": ids,
            "mask": mask,
            "posts": self._padded(list(posts), "post", POST_CONTEXT_TOKENS),
            "post_of": torch.tensor(post_of),
            "sentiment": target_masks([row.sentiment for row in rows], len(SENTIMENTS)),
            "authenticity": target_masks([row.authenticity for row in rows], len(AUTHENTICITIES)),
        }

    def public(self, rows: Sequence[CommentRow], chance: random.Random) -> TaskBatch:
        """Texts of the public sets with the labels of their sets."""
        return {
            **self.comments(rows, chance),
            "public": target_masks([row.public for row in rows], len(PUBLIC_LABELS)),
        }

    def manner(self, rows: Sequence[MannerRow], chance: random.Random) -> TaskBatch:
        """Texts on their own."""
        texts = self._varied([row.text for row in rows], chance)
        ids, mask = self._padded(texts, "post")
        return {
            "ids": ids,
            "mask": mask,
            "extra": torch.tensor([manner_features(text) for text in texts]),
            "label": torch.tensor([MANNERS.index(row.label) for row in rows]),
        }

    def coherence(
        self, rows: Sequence[CoherenceRow], chance: random.Random, *, values: dict[str, list[Value]],
        group_of: Mapping[str, str],
    ) -> TaskBatch:  # fmt: skip
        """Posts, some with another of their brand as one, with all values of their brands, and a few of brands of other groups: those of
        its own may be shown the same text, with other labels."""
        rows = [self._joined(row, rows, chance) for row in rows]
        self.prepare([row.text for row in rows])
        texts: dict[str, int] = {}
        post_of, value_of, are_declared, targets, touched = [], [], [], [], []
        for number, row in enumerate(rows):
            shown = [(value, True) for value in values[row.brand]]
            for brand in chance.sample(sorted(values), self.settings.foreign_values):
                if group_of[brand] != row.group:
                    shown.append((chance.choice(values[brand]), False))
            for value, declared in shown:
                post_of.append(number)
                value_of.append(texts.setdefault(value.text, len(texts)))
                are_declared.append(declared)
                targets.append(value_target(row, value.key, declared))
            if row.grade == 2 and row.touches is None:
                touched.append(number)
        return {
            "posts": self._padded(self._varied([row.text for row in rows], chance), "post"),
            "values": self._padded(list(texts), "value"),
            "post_of": torch.tensor(post_of),
            "value_of": torch.tensor(value_of),
            "declared": torch.tensor(are_declared),
            "target": target_masks(targets, len(ValueMatcher.CLASSES)),
            "touched": torch.tensor(touched, dtype=torch.long),
            "grade": torch.tensor([grade_class(row) for row in rows]),
        }

    def _joined(self, row: CoherenceRow, among: Sequence[CoherenceRow], chance: random.Random) -> CoherenceRow:
        """`row`, in a share `settings.joined` of all cases before or behind another of its brand `among` the others, where both are read
        whole: labelled posts are of one mind, real ones are not."""
        if chance.random() >= self.settings.joined:
            return row
        room = self.settings.max_tokens - len(self._ids[row.text])
        others = [one for one in among if one is not row and one.brand == row.brand and len(self._ids[one.text]) < room]
        return joined(*chance.sample((row, chance.choice(others)), 2)) if others else row

    def relation(self, rows: Sequence[RelationRow], chance: random.Random) -> TaskBatch:
        """Texts with their statements; what a text is about stands beside what another of the batch is about."""
        pairs = [(number, row.statement, row.relation) for number, row in enumerate(rows)]
        topics = sorted({row.statement for row in rows if row.relation == "about"})
        for number, row in enumerate(rows):
            if row.relation == "about" and (others := [topic for topic in topics if topic != row.statement]):
                pairs.append((number, chance.choice(others), "apart"))
        topical, logical = (RELATIONS.index("about"), RELATIONS.index("apart")), (0, 1, 2)
        targets = []
        for _, _, relation in pairs:
            label = RELATIONS.index(relation)
            targets.append(Target((label,), topical if label in topical else logical))
        return {
            "posts": self._padded([row.text for row in rows], "post"),
            "values": self._padded([statement for _, statement, _ in pairs], "value"),
            "post_of": torch.tensor([number for number, _, _ in pairs]),
            "target": target_masks(targets, len(RELATIONS)),
        }

    def likeness(self, rows: Sequence[tuple[str, str, float]], _: random.Random) -> TaskBatch:
        """Pairs of one source and how alike they are."""
        return {
            "left": self._padded([a for a, _, _ in rows], "post"),
            "right": self._padded([b for _, b, _ in rows], "post"),
            "likeness": torch.tensor([likeness for _, _, likeness in rows]),
        }

    def pairs(self, rows: Sequence[PairRow], chance: random.Random) -> TaskBatch:
        """Pairs with their class; every other later text also beside another post of its topic, from which it does not derive."""
        shown = [(row.earlier, row.later, row.label) for row in rows]
        for row in rows:
            if row.same_topic and not row.how.startswith("merge") and chance.random() < 0.5:
                shown.append((chance.choice(row.same_topic), row.later, "original"))
        earlier, later = (self._varied([pair[side] for pair in shown], chance) for side in (0, 1))
        return {
            "earlier": self._padded(earlier, "post", PAIR_TOKENS),
            "later": self._padded(later, "post", PAIR_TOKENS),
            "label": torch.tensor([PairJudge.CLASSES.index(label) for _, _, label in shown]),
        }

    def rewrite(self, rows: Sequence[PairRow], chance: random.Random) -> TaskBatch:
        """Later texts with their sources; other posts of the same topic are the hard negatives."""
        hard = [chance.choice(row.same_topic) for row in rows if row.same_topic]
        return {
            "left": self._padded([row.later for row in rows], "post"),
            "right": self._padded([row.earlier for row in rows], "post"),
            "hard": self._padded(hard, "post") if hard else None,
        }
