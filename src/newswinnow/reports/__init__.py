"""Evaluations as files for people: offline HTML, Markdown and JSON.

Nothing is measured here; every number comes from :mod:`newswinnow.evaluation`.
"""
