"""The default model: the packaged configuration trained on the written sample."""

from pathlib import Path

from newswinnow.corpus.tables import read_corpus
from newswinnow.experiments.config import corpus_paths, read_config
from newswinnow.models.predictor import Predictor
from newswinnow.models.training import train


def default_model() -> Predictor:
    """Train what ``newswinnow train`` trains without a configuration.

    Returns
    -------
    The predictor.
    """
    config = read_config(None)
    paths, _ = corpus_paths(config, relative_to=Path())
    return train(read_corpus(paths), config.model, seed=config.seed)
