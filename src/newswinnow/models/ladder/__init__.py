"""One model for four levels of information: a linear model of paragraphs alone, and small networks over whole pages.

Training is left to :mod:`newswinnow.models.ladder.classifier`; what is deployed imports neither it nor scikit-learn.
"""
