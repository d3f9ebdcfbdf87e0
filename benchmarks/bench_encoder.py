"""Texts a second through the encoder: our path, the plain `transformers` pipeline over the same model, and SnowNLP; and the
share of the machine's matrix-multiply rate that our batches reach. Short floats are multiplied where the processor does so in
hardware; elsewhere both of our rates are those of single precision.

Run: python -m benchmarks.bench_encoder
"""

import time
from collections.abc import Callable, Sequence

import torch
from snownlp import SnowNLP
from transformers import pipeline

from benchmarks import texts
from benchmarks.bench_scoring import seconds
from pinzhi import paths
from pinzhi.heads.encoder import Encoder
from pinzhi.heads.predict import Heads
from pinzhi.heads.store import open_active
from pinzhi.segment import Segmenter

SINGLES = 100
BATCH = 2000


def of_length(build: Callable[[int], str], length: int, n: int) -> list[str]:
    """`n` different texts of `length` characters."""
    return ["".join(build(100 * i + k) for k in range(12))[:length] for i in range(n)]


def rate(work: Callable[[Sequence[str]], object], items: Sequence[str], one_by_one: bool) -> float:
    """Items a second, singly or all at once."""
    work(items[:2])
    if one_by_one:
        return len(items) / seconds(lambda: [work([item]) for item in items])
    return len(items) / seconds(lambda: work(items))


def encode(encoder: Encoder, said: Sequence[str]) -> float:
    """Raw texts to hidden states; returns the multiplications and additions done, padding left out."""
    sequences = [encoder.single(ids, "comment") for ids in encoder.token_ids(said)]
    for batch in encoder.batches(sequences):
        encoder.hidden(batch.ids, batch.mask)
    return sum(flops(encoder, len(one)) for one in sequences)


def flops(encoder: Encoder, n_tokens: int) -> float:
    """Of one sequence: every weight once a token, and attention between all tokens."""
    shape = encoder.model.config
    weights = sum(p.numel() for name, p in encoder.model.named_parameters() if p.dim() == 2 and "embed" not in name)
    return 2.0 * n_tokens * weights + 4.0 * shape.num_hidden_layers * n_tokens**2 * shape.hidden_size


def multiply_rate() -> float:
    """Floating-point operations a second of a large matrix product, best of five."""
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    return max(2 * 2048**3 / seconds(lambda: a @ b) for _ in range(5))


@torch.inference_mode()
def main() -> None:
    """Print every figure."""
    folder = open_active(paths.models(), "encoder").folder
    heads, short = (Heads.load(paths.models(), Segmenter(), is_short) for is_short in (False, True))
    encoder = heads.encoder
    plain = pipeline("feature-extraction", model=str(folder), tokenizer=str(folder), device="cpu")
    peak = multiply_rate()
    for name, build, length in (("comments of 20", texts.comment, 20), ("posts of 120", texts.post, 120)):
        singles, many = of_length(build, length, SINGLES), of_length(build, length, BATCH)
        for kind, items, one in (("one", singles, True), ("batch", many, False)):
            ours = rate(lambda said: encode(encoder, said), items, one)
            shortly = rate(lambda said: encode(short.encoder, said), items, one)
            words = [encoder.words(text) for text in items]
            theirs = rate(lambda said: plain(list(said), batch_size=32), words, one)
            snow = rate(lambda said: [SnowNLP(text).sentiments for text in said], items[:300], one)
            print(
                f"{name:>15} {kind:>5}   ours {ours:>8,.0f} /s   pipeline {theirs:>7,.0f} /s   SnowNLP {snow:>6,.0f} /s   "
                f"ratios {ours / theirs:.1f}, {ours / snow:.1f}   short floats {shortly:>8,.0f} /s   ratios {shortly / theirs:.1f}, "
                f"{shortly / snow:.1f}"
            )
        start = time.perf_counter()
        reached = encode(encoder, many) / (time.perf_counter() - start)
        print(f"{name:>15}         {reached / 1e9:,.0f} GFLOPS, {reached / peak:.0%} of {peak / 1e9:,.0f}")
    said = of_length(texts.comment, 20, BATCH)
    posts = [texts.post(i // 100) for i in range(BATCH)]
    print(f"sentiment and authenticity of comments of 20 under {len(set(posts))} posts")
    for name, of in (("single precision", heads), ("short floats", short)):
        took = seconds(lambda of=of: of.comments(said, posts))
        print(f"{name:>18} {BATCH / took:,.0f} /s")


if __name__ == "__main__":
    main()
