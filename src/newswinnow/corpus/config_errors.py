"""What pydantic found wrong with a configuration, as one ``rule; got value``.

Reading the file, and saying which one it was, is left to the modules whose configuration it is.
"""

from typing import Final

from pydantic import ValidationError

from newswinnow.corpus.rejects import excerpt_of

_UNKNOWN_KEY: Final = ("extra_forbidden", "unexpected_keyword_argument")


def first_broken_rule(error: ValidationError, *, root: str = "") -> str:
    """The first thing that is wrong.

    Parameters
    ----------
    error
        What pydantic raised.
    root
        What to call the configuration as a whole, for a rule about no single key.

    Returns
    -------
    Key, rule and value.
    """
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"])) or root
    if first["type"] in _UNKNOWN_KEY:
        return f"{place} must be a known key; got {excerpt_of(first['input'])}"
    rule = first["msg"].removeprefix("Value error, ")
    return f"{place}: {rule}" if "; got " in rule else f"{place}: {rule[:1].lower()}{rule[1:]}; got {excerpt_of(first['input'])}"
