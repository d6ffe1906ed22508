"""The vocabulary of the project: the paragraph table and its labels.

It knows no files and no models.
"""
