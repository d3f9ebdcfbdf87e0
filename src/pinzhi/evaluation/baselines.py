"""What a user would otherwise pick."""

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from pinzhi.evaluation.slices import content_words
from pinzhi.heads.predict import Heads
from pinzhi.segment import Segmenter
from pinzhi.text import normalise

Likeness = Callable[[Sequence[str], Sequence[str]], np.ndarray]  # of n posts to v values: [n, v]


def linear_baseline() -> Pipeline:
    """Character 1-4-gram TF-IDF and a linear support vector machine."""
    return make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True, max_features=300_000),
        LinearSVC(C=0.5),
    )


def keyword_overlap(segmenter: Segmenter) -> Likeness:
    """The share of the content words of a value that stand in a post."""

    def like(posts: Sequence[str], values: Sequence[str]) -> np.ndarray:
        keywords = [content_words(value) for value in values]
        said = [set(segmenter.cut(normalise(post).text)) for post in posts]
        return np.array([[len(words & heard) / max(1, len(words)) for words in keywords] for heard in said])

    return like


def tfidf_cosine(texts: Sequence[str]) -> Likeness:
    """Cosine of character 1-3-gram TF-IDF, fitted on `texts`."""
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3)).fit(texts)
    return lambda posts, values: (vectorizer.transform(posts) @ vectorizer.transform(values).T).toarray()


def embedding_cosine(heads: Heads) -> Likeness:
    """Cosine of the embeddings by which rewrites are searched."""
    return lambda posts, values: heads.posts(posts)[0] @ heads.posts(values)[0].T
