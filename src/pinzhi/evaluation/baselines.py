"""What a user would otherwise pick."""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC


def linear_baseline() -> Pipeline:
    """Character 1-4-gram TF-IDF and a linear support vector machine."""
    return make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True, max_features=300_000),
        LinearSVC(C=0.5),
    )
