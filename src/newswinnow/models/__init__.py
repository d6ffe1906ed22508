"""Estimators by name, the predictor that users load, and the format in which models are saved.

Measuring how good a model is stays with :mod:`newswinnow.evaluation`.
"""
