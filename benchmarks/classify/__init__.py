"""Classifiers of paragraphs side by side: time to train and to classify, memory, size, cold start and scores.

``python -m benchmarks.classify`` from the repository's root runs it; HTML to paragraphs is left to ``benchmarks/split_html.py``.
"""
