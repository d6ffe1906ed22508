"""Searching hyper-parameters: many candidates on few pages, the best of them on more, on sites that none of them saw.

Any interruption costs the trials under way and nothing else. What may be tried is said by
:mod:`newswinnow.experiments.search_space`, how a candidate is scored by :mod:`newswinnow.evaluation.tuning`.
"""

import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from newswinnow.corpus.locks import locked
from newswinnow.corpus.tables import read_corpus
from newswinnow.corpus.write import write_text
from newswinnow.evaluation.tuning import (
    Candidate,
    CandidateScore,
    Round,
    check_searchable,
    plan_rounds,
    score_candidate,
    survivors,
)
from newswinnow.experiments.config import CONFIG_NAME, Config, corpus_paths, parse_config, read_config
from newswinnow.experiments.search_best import write_best
from newswinnow.experiments.search_log import RESULT, TRIALS, Trial, TrialLog, begin_anew, hold_identity, rows_digest
from newswinnow.experiments.search_pool import Results, pool
from newswinnow.experiments.search_space import SearchConfig, Values, draw_candidates, value_at, with_values
from newswinnow.harvest.progress import Progress, no_progress
from newswinnow.models.saved import library_versions
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import labelled_rows

BEST: Final = "best"
FORMAT: Final = 1
_DEFAULT_FOLDS: Final = 5


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes
    ----------
    directory
        Where it is kept.
    trials
        Every trial of every round.
    best
        The best of the last round: the highest of several scores, so somewhat too good.
    own
        The configuration itself in the last round; None if it could not be trained.
    n_resumed
        Trials that an earlier call had finished.
    """

    directory: Path
    trials: tuple[Trial, ...]
    best: Trial
    own: Trial | None
    n_resumed: int

    @property
    def last_round(self) -> list[Trial]:
        """Trials of the last round, the best first."""
        last = [trial for trial in self.trials if trial.round == self.best.round]
        return sorted(last, key=lambda trial: (-(trial.value if trial.value is not None else -1.0), trial.candidate))

    def as_dict(self) -> dict[str, Any]:
        """The result as plain values; nothing in it depends on how the search was run."""
        n_of_round: dict[int, int] = {}
        for trial in self.trials:
            n_of_round[trial.round] = n_of_round.get(trial.round, 0) + 1
        gain = self.best.value - self.own.value if self.own and self.own.value is not None and self.best.value else None
        return {
            "best": self.best.as_dict(),
            "configuration": self.own.as_dict() if self.own else None,
            "gain": gain,
            "trials_by_round": list(n_of_round.values()),
        }


@dataclass(frozen=True)
class _Plan:
    """What a search does, fixed before the first trial."""

    corpus: pd.DataFrame
    candidates: list[tuple[Values, Config]]
    rounds: tuple[Round, ...]
    n_folds: int

    @property
    def n_trials(self) -> int:
        """How many trials there are if every candidate can be trained."""
        return len(self.candidates) + sum(part.n_candidates + 1 for part in self.rounds[1:])


def run_search(
    path: str | Path,
    out: str | Path,
    *,
    n_workers: int = 1,
    dask: str | None = None,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> SearchResult:
    """Search what a configuration says may vary, or go on with a search that was interrupted.

    Parameters
    ----------
    path
        The configuration, or the folder it lies in.
    out
        The search's directory; made if need be.
    n_workers
        Processes on this machine.
    dask
        Address of a Dask scheduler whose workers run the trials instead.
    overwrite
        Whether to begin anew where a search was begun.
    progress
        Called after every trial.

    Returns
    -------
    What was found; also in ``result.json``, and ``best/config.toml`` as a configuration to run.

    Raises
    ------
    BusyError
        If another process searches there.
    ResumeError
        If another search was begun there.
    ValueError
        If the configuration says nothing to vary, a candidate breaks a rule, or the corpus cannot be used.
    """
    path, out = Path(path), Path(out)
    config_path = path / CONFIG_NAME if path.is_dir() else path
    config, folder = read_config(config_path), config_path.parent
    if config.search is None:
        raise ValueError(f"{config_path}: must have a table [search] that says what to vary; got none")
    candidates = _candidates(config, config.search, where=str(config_path))
    train_paths, _ = corpus_paths(config, relative_to=folder)
    plan = _planned(config, config.search, candidates, read_corpus(train_paths).reset_index(drop=True))
    out.mkdir(parents=True, exist_ok=True)
    with locked(out):
        if overwrite:
            begin_anew(out)
        hold_identity(out, _identity(config, config.search, plan))
        with pool(n_workers=n_workers, dask=dask) as results:
            result = _Search(plan, out, results, progress).run()
        _write_result(result, config, candidates, relative_to=folder)
    return result


def _candidates(config: Config, search: SearchConfig, *, where: str) -> list[tuple[Values, Config]]:
    """All candidates with their configurations, so that a rule is broken before the first trial and not by the last."""
    plain = config.model_dump(mode="json")
    own = {name: value_at(plain, name) for name in search.space}
    drawn = draw_candidates(search, own=own, seed=config.seed)
    return [(values, parse_config(with_values(plain, values), where=f"{where}: [search]: {_shown(values)}")) for values in drawn]


def _shown(values: Values) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values)


def _planned(config: Config, search: SearchConfig, candidates: list[tuple[Values, Config]], corpus: pd.DataFrame) -> _Plan:
    n_folds = search.folds or config.validation.folds or _DEFAULT_FOLDS
    n_pages = check_searchable(labelled_rows(corpus), n_folds=n_folds)
    rounds = plan_rounds(len(candidates) - 1, factor=search.factor, n_pages=n_pages, min_pages=search.min_pages)
    return _Plan(corpus, candidates, rounds, n_folds)


def _identity(config: Config, search: SearchConfig, plan: _Plan) -> dict[str, Any]:
    """Everything the trials depend on; not the files' names, nor how or where they run."""
    plain = config.model_dump(mode="json")
    return {
        "format": FORMAT,
        "model": plain["model"],
        "labels": {name: plain["data"][name] for name in ("weights", "min_agreement")},
        "seed": config.seed,
        "folds": plan.n_folds,
        "search": search.model_dump(mode="json", exclude={"folds"}),
        "data_digest": rows_digest(plan.corpus),
        "versions": {**library_versions(), "python": platform.python_version()},
    }


def _score(corpus: pd.DataFrame, candidate: Candidate, share: float, n_folds: int) -> CandidateScore | str:
    """A candidate's score, or why it has none; at this level for processes that are handed it by name."""
    try:
        return score_candidate(corpus, candidate, share=share, n_folds=n_folds)
    except ValueError as error:
        return str(error)


class _Search:
    """The rounds of one call, and what it has found so far."""

    def __init__(self, plan: _Plan, directory: Path, results: Results, progress: Progress) -> None:
        self._plan = plan
        self._directory = directory
        self._log = TrialLog(directory / TRIALS)
        self._results = results
        self._progress = progress
        self._trials: list[Trial] = []
        self._n_resumed = 0

    def run(self) -> SearchResult:
        """All rounds."""
        alive = list(range(len(self._plan.candidates)))
        found: list[Trial] = []
        for number, part in enumerate(self._plan.rounds):
            if number:
                alive = survivors({trial.candidate: trial.value for trial in found}, part.n_candidates)
            found = list(self._round(number, alive))
            if all(trial.value is None for trial in found):
                raise ValueError(f"search: a candidate of round {number} must be trainable; got {found[0].error}")
        ranked = SearchResult(self._directory, tuple(self._trials), found[0], None, self._n_resumed).last_round
        own = next((trial for trial in found if trial.candidate == 0), None)
        return SearchResult(self._directory, tuple(self._trials), ranked[0], own, self._n_resumed)

    def _round(self, number: int, alive: list[int]) -> Iterator[Trial]:
        share = self._plan.rounds[number].share
        waiting = list(alive)
        while waiting and (trial := self._log.take(number, waiting[0], self._parameters(waiting[0]))):
            waiting.pop(0)
            self._n_resumed += 1
            yield self._noted(trial)
        jobs = [(self._plan.corpus, self._candidate(i), share, self._plan.n_folds) for i in waiting]
        for i, score in zip(waiting, self._results(_score, jobs), strict=True):
            trial = _trial(number, i, self._parameters(i), share, score)
            self._log.add(trial)
            yield self._noted(trial)

    def _parameters(self, candidate: int) -> dict[str, Any]:
        return dict(self._plan.candidates[candidate][0])

    def _candidate(self, number: int) -> Candidate:
        config = self._plan.candidates[number][1]
        return Candidate(config.model, config.data.mix, config.seed)

    def _noted(self, trial: Trial) -> Trial:
        self._trials.append(trial)
        shown = f"{trial.value:.4f}" if trial.value is not None else "not trainable"
        step = f"round {trial.round + 1}/{len(self._plan.rounds)}, candidate {trial.candidate}: {shown}"
        self._progress(step, len(self._trials), self._plan.n_trials)
        return trial


def _trial(number: int, candidate: int, parameters: Mapping[str, Any], share: float, score: CandidateScore | str) -> Trial:
    if isinstance(score, str):
        return Trial(number, candidate, dict(parameters), share, (), None, {}, (), score)
    macro = score.scores.macro_f1
    f1 = {str(label): found.f1.value for label, found in zip(LABELS, score.scores.labels, strict=True)}
    interval = {"value": macro.value, "low": macro.low, "high": macro.high}
    return Trial(number, candidate, dict(parameters), share, score.n_pages, interval, f1, score.by_fold, None)


def _write_result(result: SearchResult, config: Config, candidates: list[tuple[Values, Config]], *, relative_to: Path) -> None:
    best = candidates[result.best.candidate][1].model_copy(update={"title": f"{config.title}, best of a search"})
    note = f"Macro-F1 {result.best.value:.4f} on unseen sites, the highest of {len(result.last_round)}: expect less on new pages."
    write_best(best, result.directory / BEST, relative_to=relative_to, note=note)
    write_text(result.directory / RESULT, json.dumps(result.as_dict(), indent=1, ensure_ascii=False) + "\n")
