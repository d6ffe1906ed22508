"""Which model a run uses: where it lies, how it is trusted, and by which digest it is known again.

Loading is left to :mod:`newswinnow.models.saved`; it happens once, in the process that scores.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path

from newswinnow.models.predictor import Predictor
from newswinnow.models.saved import SHIPPED, load_model, member_of, read_manifest
from newswinnow.scoring.pages import PageBatch, score_pages


def prepared(model: Predictor) -> Predictor:
    """A model that will put every text through the compiled kernel, also the first few.

    Parameters
    ----------
    model
        The predictor.

    Returns
    -------
    The same predictor, which has scored a text.
    """
    importlib.import_module("newswinnow.features.kernel")
    score_pages(model, PageBatch(["page"], [0], ["Share"]))
    return model


@dataclass(frozen=True)
class ModelSource:
    """A saved model, not loaded yet.

    Attributes
    ----------
    directory
        The saved model; None for the one that ships with the package.
    trust
        sha256 expected of a joblib model.
    """

    directory: Path | None = None
    trust: str | None = None

    def load(self) -> Predictor:
        """Load and verify the model, and have the compiled kernel at hand.

        A process that has not needed the kernel yet may score its first few texts in plain Python. In bulk all texts go through
        the kernel, so that the same text gets the same bytes in whichever process, and processes forked later share it.

        Returns
        -------
        The predictor.

        Raises
        ------
        ModelLoadError
            If it is refused.
        """
        importlib.import_module("newswinnow.features.kernel")
        return prepared(load_model(self.directory, allow_pickle=self.trust is not None, sha256=self.trust))

    def sha256(self) -> str:
        """Digest of the model's member as its manifest has it; loading checks that it is so.

        Returns
        -------
        The digest in hexadecimal.

        Raises
        ------
        ModelLoadError
            If there is no good manifest.
        """
        return member_of(read_manifest(self.directory or SHIPPED)).sha256
