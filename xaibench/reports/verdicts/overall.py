"""Which explainer comes first over all facts, and how sure that is."""

from xaibench.reports.scoring.leaderboard import Leaderboard, State
from xaibench.reports.scoring.ranking import Ranking
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.stability import Stability
from xaibench.reports.text import brief, listed, p_text, percent, plural
from xaibench.reports.verdicts.verdict import Verdict


def overall_verdicts(run: Results) -> list[Verdict]:
    """Say who leads, how stable that is, and who could not be ranked."""
    board = run.board
    explainers = plural(len(run.info.competitors()), "explainer")
    if board.ranking is None or board.stability is None:
        return [Verdict(f"None of {explainers} could be ranked.", warns=True), *unranked(board)]
    return [leader(board, board.ranking), *stability(board.ranking, board.stability), *unranked(board)]


def leader(board: Leaderboard, ranking: Ranking) -> Verdict:
    """Name the leader, whom the leader cannot be told apart from, and the families in which the leader is best."""
    first, test = ranking.standings[0], ranking.test
    names = [standing.method for standing in ranking.standings]
    level = [name for name, better in zip(names, test.better[0], strict=True) if not better][1:]
    over = f"{plural(len(board.facts), 'fact')} of {plural(len(board.families), 'family', 'families')}"
    friedman = (
        f"ranks within each of {plural(test.n, 'patient')}, methods exchanged within patients: Friedman "
        f"{p_text(test.p)}, then Nemenyi for all pairs at 5 %: mean ranks closer than "
        f"{brief(test.critical_difference)} cannot be told apart"
    )
    if len(names) == 1:
        return Verdict(f"{first.method} is the only explainer that could be ranked.", patients=test.n)
    ranks = tuple(f"{s.method} {s.mean_rank:.2f}" for s in ranking.standings)
    if not level:
        text = f"{first.method} comes first of {plural(len(names), 'explainer')} over {over}"
        return Verdict(f"{text}, better than every other.", friedman, ranks, patients=test.n)
    text = f"{first.method} leads on average over {over}, but cannot be told apart from {listed(level)}"
    return Verdict(f"{text}; {_best_in(ranking)}.", friedman, ranks, patients=test.n)


def _best_in(ranking: Ranking) -> str:
    first = ranking.standings[0].family_ranks
    best = [f for f, rank in first.items() if rank <= min(s.family_ranks[f] for s in ranking.standings)]
    if not best:
        return "it has the best mean rank in no single family"
    only = " only" if len(best) < len(first) else ""
    return f"it has the best mean rank in {listed(best)}{only}"


def stability(ranking: Ranking, found: Stability) -> list[Verdict]:
    """How often the leader would come first with other patients, and whether a single family makes the leader."""
    first = ranking.standings[0].method
    if len(ranking.standings) == 1:
        return []
    others = {family: names for family, names in found.without.items() if first not in names}
    share = percent(found.first[first])
    text = f"With the patients drawn again, {first} has the best mean rank in {share} of 1000 draws"
    if others:
        each = "; ".join(f"without {family} {listed(names)} would lead" for family, names in others.items())
        text += f"; {each}"
    elif found.without:
        text += ", and it keeps the lead whichever family of metrics is left out"
    shares = sorted(found.first.items(), key=lambda item: (-item[1], item[0]))
    drawn = tuple(f"{name} {percent(share)}" for name, share in shares if share > 0)
    return [Verdict(f"{text}.", "", drawn, patients=ranking.test.n)]


def unranked(board: Leaderboard) -> list[Verdict]:
    """Name the explainers that are shown but not ranked, with the reason."""
    states = (State.INCOMPLETE, State.NOT_APPLICABLE, State.UNRANKED)
    return [
        Verdict(
            f"{line.method} is {'not ranked' if line.state is State.UNRANKED else line.state.value}: {line.note}.",
            warns=True,
        )
        for line in board.lines
        if line.state in states
    ]
