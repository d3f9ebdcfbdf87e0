from pinzhi.training.cards import model_card


def test_a_card_shows_every_figure_with_its_interval_but_those_of_slices() -> None:
    report = {
        "macro_f1": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 90, "chance": 0.3},
        "by_set": {"reviews": {"accuracy": {"value": 0.8, "n": 10}}},
        "reason": "a | b",
        "slices": {"all": {"n": 12345}},
    }
    card = model_card("sentiment", "labels/comments", report)
    assert "| macro_f1 | 0.500 (0.400-0.600), n = 90 |" in card and "| macro_f1.chance | 0.300 |" in card
    assert "| by_set.reviews.accuracy | 0.800, n = 10 |" in card
    assert r"| reason | a \| b |" in card and "12345" not in card
