"""What a reader answers on each map."""

from dataclasses import dataclass

LOWEST, HIGHEST = 1, 5
RATINGS = tuple(range(LOWEST, HIGHEST + 1))


@dataclass(frozen=True)
class Question:
    """One question, rated from 1 to 5."""

    name: str
    text: str
    """As the reader sees it; `{finding}` stands for what the cohort calls its annotated region."""
    low: str
    """What 1 means."""
    high: str
    """What 5 means."""
    higher_is_better: bool = True


QUESTIONS = (
    Question("on-finding", "Is the map on the {finding}?", "not at all", "exactly"),
    Question("useful", "Is the map useful to you?", "useless", "very useful"),
    Question("misleading", "Is the map misleading?", "not at all", "very", higher_is_better=False),
)
NAMES = tuple(question.name for question in QUESTIONS)
