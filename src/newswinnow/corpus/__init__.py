"""Reading, writing, checking and splitting paragraph tables.

What a table is stands in :mod:`newswinnow.paragraphs`; turning HTML into paragraphs is left to :mod:`newswinnow.harvest`.
"""
