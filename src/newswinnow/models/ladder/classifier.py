"""The ladder as scikit-learn trains it: a linear model, its answers out of fold, and a network a level on top of them.

The linear model is :mod:`newswinnow.models.winnow`; how networks learn is left to :mod:`newswinnow.models.ladder.learning`, what
they learn from to :mod:`newswinnow.models.ladder.corpus`.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from newswinnow.features.hashed import LinearWeights, linear_logits
from newswinnow.features.paragraphs import Paragraphs, read
from newswinnow.features.plain import softmax
from newswinnow.features.relations import Rarity
from newswinnow.models.ladder.corpus import N_STRETCHES, N_THINNED, Corpus, gather, stretches, thinned
from newswinnow.models.ladder.correction import Correction
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
from newswinnow.paragraphs.table import FloatArray, IntArray, LabelArray

BoolArray = npt.NDArray[np.bool_]

BALANCE: Final = 0.5
"""Power of the inverse frequency by which labels are weighted, but for the linear model."""

REPEAT_POWER: Final = 0.7
TEACHER_EPOCHS: Final = 16
TEACHER_PAGES: Final = 4


@dataclass(frozen=True)
class _Stage:
    """What is known of the training corpus by linear models, each fitted on other sites.

    Attributes
    ----------
    temperature
        What logits were divided by.
    known
        Rows with a label to go by: those that somebody read, where there are any.
    paragraphs
        All paragraphs, with those logits.
    rarity
        How rare tokens are.
    scale
        Of what is measured.
    """

    temperature: float
    known: IntArray
    paragraphs: Paragraphs
    rarity: Rarity
    scale: Scale

    def inputs(self, paragraphs: Paragraphs, table: PageTable) -> FloatArray:
        """Inputs of the widest network."""
        return self.scale.inputs(paragraphs.logits, measured(paragraphs, table.starts, self.rarity), table)


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
    corrected
        Whether the linear model is corrected on labels that somebody read, by its logits and the surface features, where it
        judges paragraphs alone.
    stretch_weight
        Weight of paragraphs in stretches of 2 to 40, drawn from the pages to be pages of their own, for the networks; 0 for
        no stretches.
    thinned_weight
        Weight of paragraphs in copies of the pages of which only some paragraphs are left, 4 to 60, for the networks; 0 for no
        such copies.
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
        corrected: bool = False,
        stretch_weight: float = 0.0,
        thinned_weight: float = 0.0,
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
        self.corrected = corrected
        self.stretch_weight = stretch_weight
        self.thinned_weight = thinned_weight
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
        corpus = gather(X, y, sample_weight)
        targets = corpus.targets
        stage = self._stage(corpus, targets)
        if self.distillation and not corpus.is_read.all():
            taught = self.distillation * self._teacher_answers(corpus, stage)
            targets = np.where(corpus.is_read[:, None], targets, taught)
            stage = self._stage(corpus, targets, stage.paragraphs)
        linear = self._linear(corpus, targets)
        self.classes_ = np.array(sorted(map(str, LABELS)), dtype=np.str_)
        model = self._on_top(corpus, stage, deployable(linear, stage.temperature))
        self.model_ = replace(model, correction=_correction(stage, targets)) if self.corrected else model
        return self

    def _stage(self, corpus: Corpus, targets: FloatArray, paragraphs: Paragraphs | None = None) -> _Stage:
        """What the networks are given of the corpus by linear models that learn these targets; texts need reading only once."""
        linears = self._linears(corpus, targets)
        table = corpus.table
        if paragraphs is None:
            paragraphs = read(table.texts, linears[0])
        rows = np.flatnonzero(targets.any(axis=1))
        rows = rows[corpus.is_read[rows]] if corpus.is_read[rows].any() else rows
        logits = _out_of_fold(corpus, linears)
        temperature = best_temperature(logits[rows], targets[rows])
        paragraphs = replace(paragraphs, logits=logits / temperature)
        rarity = Rarity.of(paragraphs, table.starts)
        return _Stage(temperature, rows, paragraphs, rarity, Scale.of(measured(paragraphs, table.starts, rarity)))

    def _teacher_answers(self, corpus: Corpus, stage: _Stage) -> FloatArray:
        """Probabilities by a network that is told all there is, aligned labels too, and learns from read ones."""
        targets = corpus.targets * corpus.is_read[:, None]
        targets = targets if targets.any() else corpus.targets
        inputs = np.concatenate([stage.inputs(stage.paragraphs, corpus.table), corpus.hints], axis=1)
        lesson = _lesson(inputs, stage.paragraphs, corpus.table.starts, targets * _balance(targets), corpus.hints.shape[1])
        schedule = Schedule(
            n_epochs=-(-TEACHER_EPOCHS * self.n_epochs // 12), least_steps=self.least_steps, batch_pages=TEACHER_PAGES
        )
        weights = learn(lesson, MARKUP, n_hidden=self.n_hidden, schedule=schedule, seed=self.random_state + len(LEVELS))
        return _answers(Network(MARKUP, on_grid(weights)), inputs, corpus.table, lesson.lengths)

    def _check_parameters(self) -> None:
        for name, least in (("n_hidden", 1), ("n_epochs", 1), ("least_steps", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: must be >= {least}; got {getattr(self, name)}")
        for name in ("distillation", "stretch_weight", "thinned_weight"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name}: must be finite and >= 0; got {getattr(self, name)}")
        if not 0 <= self.calibration_share < 1:
            raise ValueError(f"calibration_share: must be >= 0 and < 1; got {self.calibration_share}")

    def _linear(self, corpus: Corpus, targets: FloatArray) -> LinearWeights:
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

    def _linears(self, corpus: Corpus, targets: FloatArray) -> list[LinearWeights]:
        """A linear model for each fold that knows no paragraph of it; one of all where there is but one fold."""
        of_others = [targets * (corpus.fold_of_row != fold)[:, None] for fold in range(corpus.n_folds)]
        return [self._linear(corpus, others if others.any() else targets) for others in of_others]

    def _on_top(self, corpus: Corpus, stage: _Stage, linear: LinearWeights) -> LadderModel:
        """The networks, and what decides between them."""
        rows, small = self._small_pages(corpus)
        of_small = stage.inputs(stage.paragraphs.take(rows), small.table)
        n = len(corpus.table)
        lesson = _lesson(
            np.concatenate([stage.inputs(stage.paragraphs, corpus.table), of_small]),
            stage.paragraphs.take(np.concatenate([np.arange(n), rows])),
            np.concatenate([corpus.table.starts, small.table.starts[1:] + n]),
            np.concatenate([corpus.targets, small.targets]) * _balance(corpus.targets),
        )
        networks = {level: self._network(lesson, level, lesson.pages) for level in LEVELS}
        is_held = np.concatenate([corpus.fold_of_page, small.fold_of_page]) < self._n_held(corpus.n_folds)
        temperatures = {level: self._temperature(corpus, lesson, level, is_held) for level in LEVELS}
        trust = learn_trust(order_series(stage.paragraphs), corpus.table.starts, seed=self.random_state)
        return LadderModel(LinearModel(linear), stage.rarity, stage.scale, networks, temperatures, trust)

    def _small_pages(self, corpus: Corpus) -> tuple[IntArray, Corpus]:
        """Parts of the pages as pages of their own: numbers of their paragraphs, and what is known of these."""
        rng = np.random.default_rng(self.random_state)
        stretched = stretches(corpus.table.starts, N_STRETCHES if self.stretch_weight else 0, rng)
        thin = thinned(corpus.table.starts, N_THINNED if self.thinned_weight else 0, rng)
        rows = np.concatenate([stretched.rows, thin.rows])
        weights = np.repeat([self.stretch_weight, self.thinned_weight], [len(stretched.rows), len(thin.rows)])
        return rows, corpus.take(rows, np.concatenate([stretched.starts, thin.starts[1:] + len(stretched.rows)]), weights)

    def _network(self, lesson: Lesson, level: str, pages: IntArray) -> Network:
        part = replace(lesson, pages=pages, inputs=lesson.inputs[:, : n_inputs(level)])
        schedule = Schedule(n_epochs=self.n_epochs, least_steps=self.least_steps)
        seed = self.random_state + LEVELS.index(level)
        return Network(level, on_grid(learn(part, level, n_hidden=self.n_hidden, schedule=schedule, seed=seed)))

    def _n_held(self, n_folds: int) -> int:
        """How many folds are held out for the temperatures."""
        wanted = max(1, round(self.calibration_share * n_folds)) if self.calibration_share else 0
        return min(wanted, n_folds - 1)

    def _temperature(self, corpus: Corpus, lesson: Lesson, level: str, is_held: BoolArray) -> float:
        """Temperature on whole pages held out, of a network that learnt from the others; 1 where there are none."""
        sizes = corpus.table.sizes
        is_here = is_held[: len(sizes)]
        rows = np.flatnonzero(np.repeat(is_here, sizes))
        targets = corpus.targets[rows]
        is_known = targets.any(axis=1)
        if not is_known.any() or not corpus.targets[np.repeat(~is_here, sizes)].any():
            return 1.0
        network = self._network(lesson, level, np.flatnonzero(~is_held))
        inputs = lesson.inputs[rows, : network.n_inputs].astype(np.float64)
        found = network.logits(inputs, Pages(sizes[is_here], lesson.lengths[rows]))
        return best_temperature(found[is_known], targets[is_known])

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

    def predict(self, X: Any, *, context: str = AUTO) -> LabelArray:
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


def _correction(stage: _Stage, targets: FloatArray) -> Correction:
    """The correction of the linear model as it is deployed, its temperature in it."""
    logits, surface, known = stage.paragraphs.logits[stage.known], stage.paragraphs.surface[stage.known], targets[stage.known]
    correction = Correction.of(logits, surface, known * _balance(known))
    return correction.cooled(best_temperature(correction.logits(logits, surface), known))


def _out_of_fold(corpus: Corpus, linears: list[LinearWeights]) -> FloatArray:
    """Logits of every paragraph by its fold's model."""
    found = np.empty((len(corpus.table), len(LABELS)))
    for fold, linear in enumerate(linears):
        rows = np.flatnonzero(corpus.fold_of_row == fold)
        found[rows] = linear_logits([corpus.table.texts[row] for row in rows.tolist()], linear)
    return found


def _lesson(inputs: FloatArray, paragraphs: Paragraphs, starts: IntArray, targets: FloatArray, n_hints: int = 0) -> Lesson:
    return Lesson(
        inputs=inputs.astype(np.float32),
        lengths=lengths_of(paragraphs.surface[:, LOG_CHARS]),
        starts=starts,
        targets=targets.astype(np.float32),
        pages=np.arange(len(starts) - 1),
        n_hints=n_hints,
    )


def _answers(network: Network, inputs: FloatArray, table: PageTable, lengths: FloatArray) -> FloatArray:
    """Probabilities of all paragraphs, some pages at a time."""
    found, begin = [], 0
    for piece in table.batches(BATCH):
        rows = slice(begin, begin + len(piece))
        found.append(softmax(network.logits(inputs[rows], Pages(piece.sizes, lengths[rows]))))
        begin = rows.stop
    return np.concatenate(found)
