"""Numbers only: scores with intervals over pages, slices, calibration and paired comparison.

Nothing here reads files, draws or prints.
"""
