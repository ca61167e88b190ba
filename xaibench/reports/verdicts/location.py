"""Which explainers point at the finding? Against chance, and against controls that never look at the model."""

from collections.abc import Sequence

from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.scoring.location import METRIC, Location
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import figure, listed, p_text, plural, verb
from xaibench.reports.verdicts.verdict import Verdict, with_classes

CHANCE = (
    "enrichment over the same map shifted and over chance inside the body: Wilcoxon signed-rank over patients, "
    "one-sided, corrected for {} (Holm)"
)
BLIND = (
    "against blind controls: paired Wilcoxon signed-rank, two-sided, corrected for all pairs of explainer and "
    "control (Holm)"
)
OUTSIDE = (
    "enrichment below the same map shifted: the larger p of Wilcoxon's signed-rank test and Student's t over patients, "
    "one-sided, corrected for {} (Holm)"
)


def location_verdicts(run: Results) -> list[Verdict]:
    """Where the relevance lies over all patients, then where another class is explained."""
    names = run.info.competitors()
    if METRIC not in run.info.metrics or not names:
        return []
    found = run.locations
    if not found:
        reason = run.scores[names[0], METRIC].reason
        return [
            Verdict(
                f"Whether relevance lies on the {run.info.cohort.region_name} was not measured: {reason}."
            )
        ]
    groups = {g.explained: members for g, members in run.groups(METRIC).items() if g.explained}
    by_class = {name: own for name, members in groups.items() if (own := run.locations_of(members))}
    said = {name: of_class(name, own) for name, own in by_class.items()}
    alike = all(_sides(own) == _sides(found) for own in by_class.values())
    *first, last = over_all(run.info, found)
    return [*first, *with_classes(last, said, alike)]


def _sides(found: Sequence[Location]) -> dict[str, tuple[bool, bool]]:
    return {location.method: (location.above, location.below) for location in found}


def over_all(info: RunInfo, found: Sequence[Location]) -> list[Verdict]:
    """Four kinds of explainers: better than chance and blind controls, than chance only, worse, not settled."""
    region = info.cohort.region_name
    above = [location for location in found if location.above]
    makers = [
        (_on_region, [x for x in above if x.against and not x.unbeaten]),
        (_no_better_than_blind, [x for x in above if x.unbeaten or not x.against]),
        (_outside, [x for x in found if x.below]),
        (_unsettled, [x for x in found if not x.above and not x.below]),
    ]
    return [make(region, members, len(found)) for make, members in makers if members]


def _on_region(region: str, members: Sequence[Location], tested: int) -> Verdict:
    controls = [c.second for c in members[0].against]
    looks = verb(controls, "which never looks", "which never look")
    text = f"{_names(members)} {verb(members, 'puts', 'put')} more relevance on the {region} than chance and than "
    text += f"{listed(controls)}, {looks} at the model."
    return _verdict(text, members, tested, f"{CHANCE}; {BLIND}")


def _no_better_than_blind(region: str, members: Sequence[Location], tested: int) -> Verdict:
    unbeaten = sorted({name for location in members for name in location.unbeaten})
    worse = sorted({name for location in members for name in location.beaten_by})
    text = (
        f"{_names(members)} {verb(members, 'puts', 'put')} more relevance on the {region} than chance, but "
    )
    if not unbeaten:
        after = "no blind control ran, so it is not known whether a map that never looks at the model does as well"
        return _verdict(f"{text}{after}.", members, tested, CHANCE, warns=True)
    looks = verb(unbeaten, "which never looks", "which never look")
    text += (
        f"{verb(members, 'is', 'are')} not shown to do better than {listed(unbeaten)}, {looks} at the model"
    )
    text += f" (worse than {listed(worse)})" if worse else ""
    after = f"this does not show that the model looks at the {region}"
    return _verdict(f"{text}: {after}.", members, tested, f"{CHANCE}; {BLIND}", warns=True)


def _outside(region: str, members: Sequence[Location], tested: int) -> Verdict:
    text = (
        f"{_names(members)} {verb(members, 'puts', 'put')} less relevance on the {region} than chance: what "
    )
    text += f"{verb(members, 'it marks', 'they mark')} lies outside it"
    return _verdict(f"{text}.", members, tested, OUTSIDE, warns=True)


def _unsettled(region: str, members: Sequence[Location], tested: int) -> Verdict:
    text = f"For {_names(members)} it is not settled whether relevance favours the {region} or what lies outside it"
    return _verdict(f"{text}.", members, tested, CHANCE)


def of_class(name: str, found: Sequence[Location]) -> Verdict:
    """Where one class is explained: what one class shows, the mean over all may hide."""
    kinds = {
        "more than chance": [x for x in found if x.above],
        "less than chance": [x for x in found if x.below],
        "not settled": [x for x in found if not x.above and not x.below],
    }
    said = "; ".join(f"{words}: {_names(members)}" for words, members in kinds.items() if members)
    return _verdict(f"Where {name} is explained, {said}.", found, len(found), CHANCE)


def _verdict(text: str, members: Sequence[Location], tested: int, test: str, warns: bool = False) -> Verdict:
    patients = max(location.enrichment.n for location in members)
    ordered = sorted(members, key=lambda x: (-x.enrichment.value, x.method))
    named = test.format(plural(tested, "explainer"))
    return Verdict(text, named, tuple(map(enrichment_text, ordered)), warns, patients)


def enrichment_text(location: Location) -> str:
    """Write the enrichment with its interval and the p of the nearer side of chance."""
    found = location.enrichment
    shown = figure(found.value, found.low, found.high, against=1.0)
    p = location.p_below if found.value < 1 else location.p_above
    return f"{location.method} {shown} times chance, {p_text(p)}"


def _names(members: Sequence[Location]) -> str:
    return listed([location.method for location in members])
