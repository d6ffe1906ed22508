"""Files in, files out: predictions and clean text for inputs of any kind.

Models stand in :mod:`newswinnow.models`, readers in :mod:`newswinnow.harvest` and :mod:`newswinnow.corpus`.
"""
