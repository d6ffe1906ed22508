"""The ladder as scikit-learn trains it: a linear model, its answers out of fold, and a network a level on top of them.

The linear model is :mod:`newswinnow.models.winnow`; how networks learn is left to :mod:`newswinnow.models.ladder.learning`.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from newswinnow.features.hashed import LinearWeights
from newswinnow.features.paragraphs import Paragraphs, read
from newswinnow.features.plain import softmax
from newswinnow.features.relations import Rarity
from newswinnow.models.ladder.inputs import Scale, measured, n_inputs
from newswinnow.models.ladder.learning import Lesson, Schedule, learn
from newswinnow.models.ladder.model import BATCH, LOG_CHARS, LadderModel, order_series
from newswinnow.models.ladder.networks import LEVELS, MARKUP, Network, Pages, lengths_of, on_grid
from newswinnow.models.ladder.order import learn_trust
from newswinnow.models.ladder.pages import PageTable
from newswinnow.models.linear import LinearModel
from newswinnow.models.predictor import AUTO
from newswinnow.models.temperature import best_temperature
from newswinnow.models.winnow import WinnowClassifier, deployable
from newswinnow.paragraphs.label import LABELS
from newswinnow.paragraphs.table import ALIGNED, ORIGIN, PAGE, SITE, TEXT, FloatArray, IntArray, texts_of

N_FOLDS: Final = 5
BALANCE: Final = 0.5
"""Power of the inverse frequency by which labels are weighted for the networks."""


REPEAT_POWER: Final = 0.7
TEACHER_EPOCHS: Final = 16
TEACHER_PAGES: Final = 4
ALIGNED_LABEL: Final = "aligned_label"
"""Column of a training table with the label that alignment gives a paragraph, whoever else labelled it."""


@dataclass(frozen=True)
class _Stage:
    """A linear model and what is known of the training corpus by models like it, each fitted on other sites."""

    linear: LinearWeights
    paragraphs: Paragraphs
    rarity: Rarity
    scale: Scale
    inputs: FloatArray


@dataclass(frozen=True)
class _Corpus:
    """Training pages in order.

    Attributes
    ----------
    table
        The pages.
    targets
        Weight of each paragraph for each label, shape (n_paragraphs, 3).
    fold_of_row
        Fold of each paragraph's site, or of its page where no site is known.
    is_read
        Whether each paragraph has a label that was not derived by alignment, shape (n_paragraphs,).
    hints
        A one for the label that alignment gives each paragraph, shape (n_paragraphs, 3); zeros where it gives none.
    """

    table: PageTable
    targets: FloatArray
    fold_of_row: IntArray
    is_read: Any
    hints: FloatArray

    @property
    def fold_of_page(self) -> IntArray:
        """Fold of each page."""
        return self.fold_of_row[self.table.starts[:-1]]

    @property
    def n_folds(self) -> int:
        """How many folds there are."""
        return int(self.fold_of_row.max()) + 1


class LadderClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A linear model of paragraphs alone, and a small convolutional network over whole pages for each further level.

    It learns from tables of whole pages: paragraphs without a label, or of weight 0, are context for the others. The networks are
    given the linear model's answers on pages of sites that it was not fitted on, as they will be when the model is used.

    Parameters
    ----------
    bits
        Binary logarithm of the number of hashed features.
    C
        Inverse regularisation strength of the linear model.
    min_count
        Hashed features of less weight than so many training paragraphs of weight 1 weigh nothing.
    balanced
        Whether the linear model's classes are weighted by inverse frequency.
    n_hidden
        Channels of the networks.
    n_epochs
        Passes of the networks over the pages.
    least_steps
        With few pages there are more passes, for at least so many steps of eight pages.
    distillation
        Weight of what a teacher says of paragraphs that nobody read, for the linear model; 0 for no teacher. It is a network that
        sees whole pages with their markup, and the labels that alignment gives (column ``aligned_label``), and learns from read
        labels alone.
    calibration_share
        Share of the sites on which temperatures of the networks are fitted, by networks that learnt from the others; 0 for no
        calibration of theirs.
    random_state
        Seed of everything random.

    Attributes
    ----------
    classes_
        The three labels, sorted.
    model_
        What is deployed; its columns are in label order.
    """

    def __init__(
        self,
        *,
        bits: int = 18,
        C: float = 0.1,
        min_count: float = 2,
        balanced: bool = True,
        n_hidden: int = 48,
        n_epochs: int = 12,
        least_steps: int = 800,
        distillation: float = 0.2,
        calibration_share: float = 0.2,
        random_state: int = 0,
    ) -> None:
        self.bits = bits
        self.C = C
        self.min_count = min_count
        self.balanced = balanced
        self.n_hidden = n_hidden
        self.n_epochs = n_epochs
        self.least_steps = least_steps
        self.distillation = distillation
        self.calibration_share = calibration_share
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Find all numbers.

        Parameters
        ----------
        X
            A paragraph table of whole pages; of texts alone, each is a page of its own.
        y
            Labels, shape (n_paragraphs,), None for what has none.
        sample_weight
            Weight of each paragraph, shape (n_paragraphs,); None for equal ones.

        Returns
        -------
        The estimator itself.

        Raises
        ------
        ValueError
            If a parameter is out of range, lengths differ, a label is unknown, or nothing weighs anything.
        """
        self._check_parameters()
        corpus = _gather(X, y, sample_weight)
        stage = self._stage(corpus, corpus.targets)
        if self.distillation and not corpus.is_read.all():
            taught = self.distillation * self._teacher_answers(corpus, stage)
            stage = self._stage(corpus, np.where(corpus.is_read[:, None], corpus.targets, taught))
        self.classes_ = np.array(sorted(map(str, LABELS)), dtype=np.str_)
        self.model_ = self._on_top(corpus, stage)
        return self

    def _stage(self, corpus: _Corpus, targets: FloatArray) -> _Stage:
        """A linear model, and what the networks are given of the corpus by models like it."""
        logits = self._out_of_fold(corpus, targets)
        is_known = corpus.is_read & targets.any(axis=1)
        is_known = is_known if is_known.any() else targets.any(axis=1)
        temperature = best_temperature(logits[is_known], targets[is_known])
        linear = deployable(self._linear(corpus, targets), temperature)
        table = corpus.table
        paragraphs = replace(read(table.texts, linear), logits=logits / temperature)
        rarity = Rarity.of(paragraphs, table.starts)
        values = measured(paragraphs, table.starts, rarity)
        scale = Scale.of(values)
        return _Stage(linear, paragraphs, rarity, scale, scale.inputs(paragraphs.logits, values, table))

    def _teacher_answers(self, corpus: _Corpus, stage: _Stage) -> FloatArray:
        """Probabilities by a network that is told all there is, aligned labels too, and learns from read ones."""
        targets = corpus.targets * corpus.is_read[:, None]
        targets = targets if targets.any() else corpus.targets
        inputs = np.concatenate([stage.inputs, corpus.hints], axis=1)
        lesson = self._lesson(corpus, stage, inputs, targets, n_hints=corpus.hints.shape[1])
        schedule = Schedule(
            n_epochs=-(-TEACHER_EPOCHS * self.n_epochs // 12), least_steps=self.least_steps, batch_pages=TEACHER_PAGES
        )
        weights = learn(lesson, MARKUP, n_hidden=self.n_hidden, schedule=schedule, seed=self.random_state + len(LEVELS))
        return _answers(Network(MARKUP, on_grid(weights)), inputs, corpus.table, lesson.lengths)

    def _check_parameters(self) -> None:
        for name, least in (("n_hidden", 1), ("n_epochs", 1), ("least_steps", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: must be >= {least}; got {getattr(self, name)}")
        if not 0 <= self.distillation < np.inf:
            raise ValueError(f"distillation: must be finite and >= 0; got {self.distillation}")
        if not 0 <= self.calibration_share < 1:
            raise ValueError(f"calibration_share: must be >= 0 and < 1; got {self.calibration_share}")

    def _linear(self, corpus: _Corpus, targets: FloatArray) -> LinearWeights:
        """The linear model of what weighs anything, not calibrated."""
        rows, codes = np.nonzero(targets)
        classifier = WinnowClassifier(
            bits=self.bits,
            C=self.C,
            min_count=self.min_count,
            balanced=self.balanced,
            calibration_share=0.0,
            repeat_power=REPEAT_POWER,
            random_state=self.random_state,
        )
        texts = [corpus.table.texts[row] for row in rows.tolist()]
        labels = np.array([str(label) for label in LABELS], dtype=object)[codes]
        weights: LinearWeights = classifier.fit(texts, labels, sample_weight=targets[rows, codes]).model_.weights
        return weights

    def _out_of_fold(self, corpus: _Corpus, targets: FloatArray) -> FloatArray:
        """Logits of every paragraph by a model that knows no paragraph of its site; by one of all where there is but one."""
        found = np.empty((len(corpus.table), len(LABELS)))
        for fold in range(corpus.n_folds):
            is_here = corpus.fold_of_row == fold
            of_others = targets * ~is_here[:, None]
            texts = [corpus.table.texts[row] for row in np.flatnonzero(is_here).tolist()]
            found[is_here] = read(texts, self._linear(corpus, of_others if of_others.any() else targets)).logits
        return found

    def _on_top(self, corpus: _Corpus, stage: _Stage) -> LadderModel:
        lesson = self._lesson(corpus, stage, stage.inputs, corpus.targets)
        networks = {level: self._network(lesson, level, lesson.pages) for level in LEVELS}
        temperatures = {level: self._temperature(corpus, lesson, level) for level in LEVELS}
        trust = learn_trust(order_series(stage.paragraphs), corpus.table.starts, seed=self.random_state)
        return LadderModel(LinearModel(stage.linear), stage.rarity, stage.scale, networks, temperatures, trust)

    def _lesson(self, corpus: _Corpus, stage: _Stage, inputs: FloatArray, targets: FloatArray, *, n_hints: int = 0) -> Lesson:
        return Lesson(
            inputs=inputs.astype(np.float32),
            lengths=lengths_of(stage.paragraphs.surface[:, LOG_CHARS]),
            starts=corpus.table.starts,
            targets=(targets * _balance(targets)).astype(np.float32),
            pages=np.arange(len(corpus.table.starts) - 1),
            n_hints=n_hints,
        )

    def _network(self, lesson: Lesson, level: str, pages: IntArray) -> Network:
        part = replace(lesson, pages=pages, inputs=lesson.inputs[:, : n_inputs(level)])
        schedule = Schedule(n_epochs=self.n_epochs, least_steps=self.least_steps)
        seed = self.random_state + LEVELS.index(level)
        return Network(level, on_grid(learn(part, level, n_hidden=self.n_hidden, schedule=schedule, seed=seed)))

    def _temperature(self, corpus: _Corpus, lesson: Lesson, level: str) -> float:
        """Temperature on pages held out, of a network that learnt from the others."""
        is_held = self._held_out(corpus)
        pages = np.flatnonzero(is_held)
        rows = np.flatnonzero(np.repeat(is_held, corpus.table.sizes))
        others = np.flatnonzero(~is_held)
        targets = corpus.targets[rows]
        if not targets.any() or not corpus.targets[np.flatnonzero(np.repeat(~is_held, corpus.table.sizes))].any():
            return 1.0
        network = self._network(lesson, level, others)
        inputs = lesson.inputs[rows, : network.n_inputs].astype(np.float64)
        found = network.logits(inputs, Pages(corpus.table.sizes[pages], lesson.lengths[rows]))
        is_known = targets.any(axis=1)
        return best_temperature(found[is_known], targets[is_known])

    def _held_out(self, corpus: _Corpus) -> Any:
        """Which pages are held out: those of whole folds."""
        n_held = round(self.calibration_share * corpus.n_folds) if self.calibration_share else 0
        if corpus.n_folds > 1 and self.calibration_share:
            n_held = max(n_held, 1)
        return corpus.fold_of_page < n_held

    def predict_proba(self, X: Any, *, context: str = AUTO) -> FloatArray:
        """Probabilities of the labels.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.
        context
            As of :meth:`newswinnow.models.ladder.model.LadderModel.predict_proba`.

        Returns
        -------
        Shape (n_paragraphs, 3), columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        found: FloatArray = self.model_.predict_proba(X, context=context)[:, [LABELS.index(label) for label in self.classes_]]
        return found

    def predict(self, X: Any, *, context: str = AUTO) -> np.ndarray[Any, np.dtype[np.str_]]:
        """Most probable labels.

        Parameters
        ----------
        X
            Texts, shape (n_paragraphs,), or a paragraph table.
        context
            As for :meth:`predict_proba`.

        Returns
        -------
        Shape (n_paragraphs,).
        """
        check_is_fitted(self)
        return self.model_.predict(X, context=context)


def _balance(targets: FloatArray) -> FloatArray:
    """Weight of each label: the root of its inverse frequency."""
    sums = targets.sum(axis=0)
    balance: FloatArray = np.divide(sums.sum(), len(sums) * sums, out=np.zeros(len(sums)), where=sums > 0) ** BALANCE
    return balance


def _gather(X: Any, y: Any, sample_weight: Any) -> _Corpus:
    if not hasattr(X, "columns"):
        texts = texts_of(X)
        X = pd.DataFrame({PAGE: [str(number) for number in range(len(texts))], TEXT: texts})
    if PAGE not in X.columns:
        raise ValueError(f"X: a paragraph table must have a column 'page'; got {list(X.columns)}")
    targets = _targets(y, sample_weight, len(X))
    table = PageTable.of(X)
    rows = table.rows
    is_aligned = (X[ORIGIN] == ALIGNED).to_numpy() if ORIGIN in X.columns else np.zeros(len(X), dtype=bool)
    is_read = targets.any(axis=1) & ~is_aligned
    hints = _one_hot(X[ALIGNED_LABEL]) if ALIGNED_LABEL in X.columns else (targets > 0) * is_aligned[:, None].astype(float)
    return _Corpus(table, targets[rows], _folds(X, targets)[rows], is_read[rows], hints[rows])


def _targets(y: Any, sample_weight: Any, n: int) -> FloatArray:
    """Weight of each paragraph for each label."""
    labels = np.asarray(y, dtype=object)
    if len(labels) != n:
        raise ValueError(f"y: must have one label per paragraph, {n}; got {len(labels)}")
    weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (n,) or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"sample_weight: must be one finite weight >= 0 per paragraph, {n}; got shape {weights.shape}")
    targets = np.zeros((n, len(LABELS)))
    for row, label in enumerate(labels.tolist()):
        if label in LABELS:
            targets[row, LABELS.index(label)] = weights[row]
        elif not pd.isna(label):
            raise ValueError(f"y: labels must be of {', '.join(LABELS)} or None; got {label!r}")
    if not targets.any():
        raise ValueError(f"y: must hold at least one label whose weight is not zero; got {n} paragraphs")
    return targets


def _one_hot(labels: Any) -> FloatArray:
    """A one for each label, zeros where there is none."""
    found: FloatArray = np.array([[label == one for one in LABELS] for label in labels], dtype=np.float64)
    return found.reshape(-1, len(LABELS))


def _answers(network: Network, inputs: FloatArray, table: PageTable, lengths: FloatArray) -> FloatArray:
    """Probabilities of all paragraphs, some pages at a time."""
    found, begin = [], 0
    for piece in table.batches(BATCH):
        rows = slice(begin, begin + len(piece))
        found.append(softmax(network.logits(inputs[rows], Pages(piece.sizes, lengths[rows]))))
        begin = rows.stop
    return np.concatenate(found)


def _folds(X: Any, targets: FloatArray) -> IntArray:
    """Fold of each row: sites, or pages where a page has none, spread so that folds weigh about the same."""
    pages = X[PAGE].astype(str)
    groups = pages
    if SITE in X.columns:
        groups = X[SITE].astype(object).where(X[SITE].notna(), "page " + pages).astype(str)
    number_of_row, names = pd.factorize(groups, sort=True)
    # A page belongs to the group of its first row, so that no page is cut.
    number_of_row = pd.Series(number_of_row).groupby(pages.to_numpy()).transform("first").to_numpy()
    weights = np.bincount(number_of_row, weights=targets.sum(axis=1) + 1e-3, minlength=len(names))
    loads = np.zeros(min(N_FOLDS, len(names)))
    fold_of = np.zeros(len(names), dtype=np.int64)
    for number in np.argsort(-weights, kind="stable").tolist():
        fold_of[number] = loads.argmin()
        loads[fold_of[number]] += weights[number]
    folds: IntArray = fold_of[number_of_row]
    return folds
