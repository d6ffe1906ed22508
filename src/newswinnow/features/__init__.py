"""What models see of a paragraph: surface features and n-grams.

Choosing between labels is left to :mod:`newswinnow.models`.
"""
