"""One run: a configuration in, a results directory out; and what several runs say together.

Training and measuring are left to the layers below.
"""
