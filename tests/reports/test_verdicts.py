"""Sentences are true for the run at hand, and each names the test behind it."""

import numpy as np
import pytest

from tests.reports.made_up import Plan, make_run
from tests.reports.records import Values, around, results_of
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.scoring.results import Results, read
from xaibench.reports.verdicts.agreement import agreement_verdicts
from xaibench.reports.verdicts.all import questions, ties
from xaibench.reports.verdicts.controls import control_verdicts
from xaibench.reports.verdicts.faithful import faithful_verdicts
from xaibench.reports.verdicts.fast import fast_verdicts
from xaibench.reports.verdicts.overall import overall_verdicts
from xaibench.reports.verdicts.stable import stable_verdicts
from xaibench.reports.verdicts.summary import summary
from xaibench.reports.verdicts.verdict import FEW, Question, Verdict, sentences

FACTS = ("morf-lerf", "sensitivity-norm", "gini")


def one(metric: str, values: dict[str, list[float]]) -> Values:
    return {name: {metric: list(column)} for name, column in values.items()}


def noise(seed: int, patients: int = 12, scale: float = 0.1) -> list[float]:
    return np.random.default_rng(seed).normal(scale=scale, size=patients).tolist()


def text_of(found: list[Verdict]) -> str:
    return "\n".join(verdict.text for verdict in found)


# ------------------------------------------------------------------ faithful


def test_trap_29_faithful_is_what_beats_its_shifted_copies() -> None:
    found = faithful_verdicts(results_of(one("morf-lerf", {"a": around(0.4), "b": noise(1)})))
    assert found[0].text == (
        "a is faithful: the model's answer hangs on the order of its pixels more than on that of the same map shifted; "
        "this is not shown for b."
    )
    assert "Wilcoxon signed-rank" in found[0].test
    assert "corrected for 2 explainers (Holm)" in found[0].test


def test_nobody_is_called_faithful_without_a_test_that_says_so() -> None:
    found = faithful_verdicts(results_of(one("morf-lerf", {"a": noise(1), "b": noise(2)})))
    assert found[0].text == "No explainer is shown to be faithful."
    assert found[0].warns


def test_too_few_patients_are_said_to_be_the_reason() -> None:
    found = faithful_verdicts(results_of(one("morf-lerf", {"a": around(0.4, 4), "b": around(0.5, 4)})))
    assert "No explainer is shown to be faithful: 4 patients cannot settle" in found[0].text
    assert found[0].caution == "Caution: this rests on only 4 patients."


def test_one_faithful_map_among_many_blind_ones_stands_its_correction() -> None:
    values = {f"blind{n}": noise(n) for n in range(19)}
    p_of_chance = faithful_verdicts(results_of(one("morf-lerf", values)))
    assert p_of_chance[0].text == "No explainer is shown to be faithful."


def test_gains_that_were_not_recorded_make_nobody_faithful() -> None:
    found = faithful_verdicts(results_of(one("morf-lerf", {"a": around(0.4)}), gain=False))
    assert found[0].text == "Faithfulness was not measured against shifted maps in this run."


def test_patients_without_evidence_are_counted() -> None:
    values: Values = {name: {"morf-lerf": [*around(0.4), None, None]} for name in "ab"}
    assert "Faithfulness rests on 12 of 14 patients" in text_of(faithful_verdicts(results_of(values)))


def test_a_class_without_faithful_explainers_is_said() -> None:
    values = one("morf-lerf", {"a": [*around(0.4), *noise(3)]})
    found = text_of(faithful_verdicts(results_of(values, labels=[1] * 12 + [0] * 12)))
    assert "Where recurrent is explained, faithful: a." in found
    assert "Where non-recurrent is explained, not shown for a." in found


# ------------------------------------------------------------------ first


def test_first_is_who_beats_every_other() -> None:
    values: Values = {
        name: {
            metric: around((0.9 - 0.1 * n) if metric != "sensitivity-norm" else 0.1 + 0.1 * n, 30)
            for metric in FACTS
        }
        for n, name in enumerate("abc")
    }
    found = overall_verdicts(results_of(values))
    assert (
        found[0].text == "a comes first of 3 explainers over 3 facts of 3 families, better than every other."
    )
    assert "Friedman p = 0.0005, then Nemenyi" in found[0].test
    assert (
        "100 % of 1000 draws, and it keeps the lead whichever family of metrics is left out" in found[1].text
    )


def test_a_leader_by_chance_is_not_called_first() -> None:
    values: Values = {
        name: {m: noise(7 * n + k) for k, m in enumerate(FACTS)} for n, name in enumerate("abc")
    }
    found = overall_verdicts(results_of(values))
    assert "leads on average over 3 facts of 3 families, but cannot be told apart from" in found[0].text
    assert "comes first" not in text_of(found)


def test_a_leader_by_one_family_is_said_to_be_one() -> None:
    values: Values = {
        "a": {"morf-lerf": around(0.9), "sensitivity-norm": around(0.2), "gini": noise(1)},
        "b": {"morf-lerf": around(0.1), "sensitivity-norm": around(0.1), "gini": noise(2)},
        "c": {"morf-lerf": around(0.2), "sensitivity-norm": around(0.3), "gini": noise(3)},
    }
    found = overall_verdicts(results_of(values))
    assert "without faithfulness b would lead" in found[1].text
    assert "it has the best mean rank in" in found[0].text
    assert found[0].text.endswith(" only.")


def test_unranked_explainers_are_named_with_the_reason() -> None:
    values: Values = {"a": {"morf-lerf": around(0.4)}, "b": {"morf-lerf": [None] * 12}}
    found = overall_verdicts(results_of(values))
    assert found[0].text == "a is the only explainer that could be ranked."
    assert found[1].text == "b is incomplete: nothing was measured: 12 of 12 cases failed: ValueError: no."


def test_a_run_of_controls_only_has_verdicts() -> None:
    values = one("morf-lerf", {"random": noise(1)})
    assert "None of 0 explainers could be ranked." in text_of(overall_verdicts(results_of(values)))
    assert questions(results_of(values))


# ------------------------------------------------------------------ stable, fast


def test_a_stable_explainer_is_named_with_whom_it_beats() -> None:
    values = one("sensitivity-norm", {"a": around(0.1), "b": around(0.9), "c": around(0.1001)})
    (found,) = stable_verdicts(results_of(values))
    assert (
        "leads on average; it cannot be told apart from" not in found.text
        or "b" not in found.text.split("from")[1]
    )
    (same,) = stable_verdicts(results_of(one("sensitivity-norm", {"a": noise(1), "b": noise(2)})))
    assert "it cannot be told apart from" in same.text
    assert "would have been seen" in same.particulars[0]


def test_budgets_need_the_whole_interval() -> None:
    values = one("latency", {"a": around(20), "b": around(1000), "c": around(2000), "d": around(50_000)})
    (found,) = fast_verdicts(results_of(values))
    assert found.text == (
        "a has the shortest median time (19.9 ms an image). Within 1 s an image: a; within 3 s an image: c; "
        "slower than 10 s: d; not to be told on which side of a budget: b."
    )


# ------------------------------------------------------------------ agreement


def test_faithful_maps_off_the_finding_contradict_co_localisation() -> None:
    values: Values = {
        "a": {"morf-lerf": around(0.4), "enrichment": around(0.2)},
        "b": {"morf-lerf": around(0.3), "enrichment": around(0.3)},
    }
    found = agreement_verdicts(results_of(values))
    assert found[0].text.startswith("a and b are faithful, and yet their relevance lies outside the tumour")


def test_opposite_orders_of_the_explainers_are_said() -> None:
    values: Values = {
        name: {"morf-lerf": around(0.5 - 0.1 * n), "enrichment": around(2.0 + n)}
        for n, name in enumerate("abcd")
    }
    (found,) = agreement_verdicts(results_of(values))
    assert found.text.startswith("Faithfulness and co-localisation put the explainers in opposite orders")
    assert "the less it lies on the annotated region" in found.text


def test_metrics_that_agree_need_no_words() -> None:
    values: Values = {
        name: {"morf-lerf": around(0.5 - 0.1 * n), "enrichment": around(6.0 - n)}
        for n, name in enumerate("abcd")
    }
    assert agreement_verdicts(results_of(values)) == []


# ------------------------------------------------------------------ controls


def test_the_mask_must_score_one() -> None:
    (passed,) = control_verdicts(results_of(one("relevance-mass", {"a": around(0.5), "mask": [1.0] * 12})))
    assert passed.text == "Check passed: the mask scores 1."
    (failed,) = control_verdicts(results_of(one("relevance-mass", {"a": around(0.5), "mask": [0.9999] * 12})))
    assert failed.text.startswith("Check failed: the mask scores 0.9999 in relevance-mass, not 1")
    assert failed.warns


def test_random_must_score_chance() -> None:
    values: Values = {
        "a": {"morf-lerf": around(0.4), "enrichment": around(3)},
        "random": {"morf-lerf": noise(1), "enrichment": [1 + v for v in noise(2)]},
    }
    assert "Check passed: random scores chance." in text_of(control_verdicts(results_of(values)))


def test_random_above_chance_is_a_failed_check() -> None:
    values: Values = {
        "a": {"morf-lerf": around(0.4), "enrichment": around(3)},
        "random": {"morf-lerf": around(0.3), "enrichment": around(2)},
    }
    found = [v for v in control_verdicts(results_of(values)) if "random" in v.text and v.warns]
    assert found[0].text.startswith("Check failed: random does not score chance: the intervals of")


def test_worse_than_a_control_needs_the_paired_test() -> None:
    worse = control_verdicts(results_of(one("morf-lerf", {"a": around(0.1), "edges": around(0.4)})))
    assert "In morf-lerf, a does worse than edges, which never looks at the model." in text_of(worse)
    level = control_verdicts(results_of(one("morf-lerf", {"a": noise(1), "edges": noise(2)})))
    assert "In morf-lerf, no explainer is shown to do better or worse than edges." in text_of(level)
    mixed = one("morf-lerf", {"a": noise(1), "b": around(0.9), "edges": noise(2)})
    assert "no explainer does worse than a control; not shown to do better are a (edges)" in text_of(
        control_verdicts(results_of(mixed))
    )
    better = control_verdicts(results_of(one("morf-lerf", {"a": around(0.4), "edges": around(0.1)})))
    assert "In morf-lerf, every explainer does better than edges." in text_of(better)


@pytest.mark.parametrize(("share", "flagged"), [(0.04, False), (0.06, True)])
def test_trap_07_methods_with_tied_pixels_are_named_above_five_percent(share: float, flagged: bool) -> None:
    run = results_of(one("morf-lerf", {"a": around(0.4)}))
    records = [r.__class__(**{**vars(r), "details": {"tied_share": share}}) for r in run.records]
    assert bool(ties(Results(run.info, records, {}))) == flagged


# ------------------------------------------------------------------ all together


def test_every_sentence_that_compares_names_its_test(folder: RunFolder) -> None:
    for question in questions(read(folder)):
        for verdict in question.answers:
            compares = any(
                w in verdict.text for w in (" faithful", "comes first", "than chance", "told apart", "better")
            )
            assert verdict.test or not compares or "not measured" in verdict.text, verdict.text


def test_few_patients_carry_their_caution() -> None:
    assert Verdict("a.", patients=FEW - 1).caution
    assert not Verdict("a.", patients=FEW).caution
    assert not Verdict("a.").caution
    assert sentences([Question("?", (Verdict("a.", "t", ("x",), patients=2),))]) == [
        "a. Caution: this rests on only 2 patients. (t; x)"
    ]


def test_the_first_question_is_the_model(folder: RunFolder) -> None:
    assert questions(read(folder))[0].text == "Is the model good enough to be explained?"


def test_the_summary_claims_no_more_than_the_tests() -> None:
    values: Values = {
        name: {m: noise(7 * n + k) for k, m in enumerate(FACTS)} for n, name in enumerate("abc")
    }
    rows = {row[0]: row[1] for row in summary(results_of(values))}
    assert rows["faithful to the model"] == "none shown"
    assert rows["first on average"].startswith("not settled between")


def test_a_run_without_regions_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = make_run(tmp_path_factory.mktemp("none") / "run", Plan(patients=4, regions=False))
    text = text_of([v for q in questions(read(folder)) for v in q.answers])
    folder.close()
    assert "Whether relevance lies on the tumour was not measured" in text
    assert "than chance" not in text
