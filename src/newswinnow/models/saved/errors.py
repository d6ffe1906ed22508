"""What can go wrong with a saved model, as two exceptions.

Their exit codes are left to :mod:`newswinnow.cli`.
"""


class ModelLoadError(ValueError):
    """A saved model that is refused; the message is ``where: rule; got value``."""


class ModelSaveError(RuntimeError):
    """A model that could not be saved so that it comes back the same."""
