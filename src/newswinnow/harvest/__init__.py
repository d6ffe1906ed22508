"""From pages to paragraphs: plain text and HTML files in, paragraph tables out.

Table files are read by :mod:`newswinnow.corpus`; this package calls it so that one function takes any input.
"""
