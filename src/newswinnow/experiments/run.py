"""One run: read, cross-validate, train, evaluate, write.

Comparing runs is left to :mod:`newswinnow.experiments.compare`.
"""

import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from newswinnow.corpus.locks import locked
from newswinnow.corpus.tables import read_corpus
from newswinnow.corpus.write import atomic_file
from newswinnow.evaluation.behaviour import Behaviour, behaviour_of
from newswinnow.evaluation.evaluate import Evaluation, evaluate
from newswinnow.evaluation.explain_mistakes import with_explanations
from newswinnow.evaluation.validation import Validation, cross_validate_sites
from newswinnow.experiments.answers import ANSWERS, answers_json
from newswinnow.experiments.config import CONFIG_NAME, Config, corpus_paths, read_config, with_train
from newswinnow.harvest.progress import Progress, no_progress
from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import library_versions, needs_trust, save_model
from newswinnow.models.training import check_trainable, table_digest, train
from newswinnow.paragraphs.table import SITE, labelled_rows
from newswinnow.reports.render import METRICS, Report, write_report

RUN_MANIFEST: Final = "manifest.json"
MODEL_FOLDER: Final = "model"
NOTES: Final = "notes.md"


@dataclass(frozen=True)
class RunResult:
    """What a run produced."""

    directory: Path
    predictor: Predictor
    evaluations: tuple[Evaluation, ...]
    validation: Validation | None
    behaviour: Behaviour
    sha256: str

    def summary(self) -> dict[str, Any]:
        """The result in a few plain values, for ``--json``."""
        return {
            "directory": str(self.directory),
            "model": str(self.directory / MODEL_FOLDER),
            "sha256": self.sha256,
            "needs_trust": needs_trust(self.predictor),
            "macro_f1": {e.name: e.scores.macro_f1.value for e in self.evaluations},
            "unseen_sites_macro_f1": self.validation.unseen_sites.value if self.validation else None,
            "leakage_gap": self.validation.leakage_gap if self.validation else None,
            "behaviour": self.behaviour.overall.share,
        }


def _check_disjoint(train_table: pd.DataFrame, tests: dict[str, pd.DataFrame]) -> None:
    """Refuse a test corpus that shares a site with the training corpus: its score would be that of a memory."""
    if SITE not in train_table.columns:
        return
    known = set(labelled_rows(train_table)[SITE].dropna())
    for name, table in tests.items():
        shared = sorted(known & set(table[SITE].dropna())) if SITE in table.columns else []
        if shared:
            raise ValueError(
                f"data.test.{name}: must share no site with data.train; got {len(shared)} shared, first {shared[0]!r}"
            )


def run(
    config: Config,
    out: str | Path,
    *,
    relative_to: Path,
    corpora: Sequence[str | Path] = (),
    overwrite: bool = False,
    n_jobs: int = 1,
    progress: Progress = no_progress,
) -> RunResult:
    """Train and measure what a configuration says.

    Parameters
    ----------
    config
        The configuration.
    out
        Results directory; made if need be.
    relative_to
        Folder that the configuration's paths start from.
    corpora
        Files to train on instead of the configuration's.
    overwrite
        Whether an earlier run's results there may be replaced.
    n_jobs
        Folds fitted at once; the results are the same.
    progress
        Called at every step.

    Returns
    -------
    What was produced.

    Raises
    ------
    FileExistsError
        If the directory holds a finished run.
    BusyError
        If another process writes to it.
    ValueError
        If a corpus cannot be used.
    """
    out = Path(out)
    config = with_train(config, corpora)
    train_paths, test_paths = corpus_paths(config, relative_to=relative_to)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out):
        # Inside the lock: a run that another process has just finished counts.
        if (out / METRICS).exists() and not overwrite:
            raise FileExistsError(f"{out}: must not hold a finished run; got {METRICS} there (--overwrite replaces it)")
        return _run(config, out, train_paths, test_paths, n_jobs, progress)


def _run(
    config: Config, out: Path, train_paths: Sequence[Path], test_paths: dict[str, Path], n_jobs: int, progress: Progress
) -> RunResult:
    begun = time.perf_counter()
    n_folds = config.validation.folds
    total = 3 + 2 * n_folds + len(test_paths)
    steps = iter(range(1, total + 1))

    def tick(step: str) -> None:
        progress(step, next(steps), total)

    corpus = read_corpus(train_paths)
    tests = {name: read_corpus([path]) for name, path in test_paths.items()}
    _check_disjoint(corpus, tests)
    check_trainable(corpus, n_folds=n_folds)
    tick("reading the corpora")
    validation = _validated(config, corpus, n_jobs, tick) if n_folds else None
    predictor = train(corpus, config.model, mix=config.data.mix, seed=config.seed)
    tick("training")
    evaluations = []
    for name, table in tests.items():
        measured = evaluate(predictor, table, name=name, seed=config.seed)
        evaluations.append(with_explanations(measured, predictor))
        tick(f"evaluating {name}")
    predictor.manifest["metrics"] = {e.name: e.scores.macro_f1.value for e in evaluations}
    sha256 = save_model(predictor, out / MODEL_FOLDER, overwrite=True)
    result = RunResult(out, predictor, tuple(evaluations), validation, behaviour_of(predictor), sha256)
    _write_results(result, config, corpus, time.perf_counter() - begun)
    tick("writing")
    return result


def _validated(config: Config, corpus: pd.DataFrame, n_jobs: int, tick: Callable[[str], None]) -> Validation:
    return cross_validate_sites(
        corpus, config.model, mix=config.data.mix, n_folds=config.validation.folds, seed=config.seed, n_jobs=n_jobs, progress=tick
    )


def _write_results(result: RunResult, config: Config, corpus: pd.DataFrame, seconds: float) -> None:
    model = {"family": config.model.family, "seed": config.seed, **_options(config)}
    notes = result.directory / NOTES
    description = notes.read_text(encoding="utf-8").strip() if notes.is_file() else config.description
    validation = result.validation.as_dict() if result.validation else {}
    manifest = {
        "config": config.model_dump(mode="json"),
        "training_digest": table_digest(labelled_rows(corpus)),
        "test_digests": {e.name: e.data_digest for e in result.evaluations},
        "versions": {**library_versions(), "python": platform.python_version()},
        "seconds": round(seconds, 1),
    }
    _write(result.directory / RUN_MANIFEST, json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    _write(result.directory / ANSWERS, answers_json(result.evaluations))
    # Last, because metrics.json is what makes a run finished.
    write_report(Report(config.title, result.evaluations, description, model, validation, result.behaviour), result.directory)


def _options(config: Config) -> dict[str, Any]:
    """Options that the family looks at, and how labels were weighted where they were."""
    weighting = {name: getattr(config.data, name) for name in ("weights", "min_agreement") if getattr(config.data, name)}
    return {**_family_options(config), **weighting}


def _family_options(config: Config) -> dict[str, Any]:
    options = config.model.as_dict()
    hashed, networks = (
        ("bits", "C", "min_df", "balanced"),
        ("n_hidden", "n_epochs", "distillation", "corrected", "stretch_weight", "thinned_weight"),
    )
    if config.model.family == "winnow":
        return {name: options[name] for name in hashed}
    if config.model.needs_pages:
        return {name: options[name] for name in (*hashed, *networks)}
    if not config.model.family.startswith(("tfidf", "naive")):
        return {}
    return {name: value for name, value in options.items() if name not in ("family", "bits", *networks)}


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as file:
        file.write(text.encode("utf-8"))


def run_experiment(path: str | Path, *, overwrite: bool = False, n_jobs: int = 1, progress: Progress = no_progress) -> RunResult:
    """Run the experiment whose folder or configuration is named; results go beside the configuration.

    Parameters
    ----------
    path
        The experiment's folder or its ``config.toml``.
    overwrite
        Whether an earlier run's results there may be replaced.
    n_jobs
        Folds fitted at once; the results are the same.
    progress
        Called at every step.

    Returns
    -------
    What was produced.

    Raises
    ------
    FileNotFoundError
        If there is no configuration.
    """
    path = Path(path)
    config_path = path / CONFIG_NAME if path.is_dir() else path
    config = read_config(config_path)
    folder = config_path.parent
    return run(config, folder, relative_to=folder, overwrite=overwrite, n_jobs=n_jobs, progress=progress)
