"""Registering a command: its help is what the docstring says before its numpydoc sections, its last line an example.

What commands do is left to their own modules.
"""

import inspect
from collections.abc import Callable
from typing import Any

import typer


def summary_of(function: Callable[..., Any]) -> str:
    """The part of a docstring that is meant for users of the command line.

    Parameters
    ----------
    function
        A documented function.

    Returns
    -------
    Everything before the ``Parameters`` section.
    """
    return (inspect.getdoc(function) or "").split("\n\nParameters\n", 1)[0]


def command(app: typer.Typer, name: str, *, example: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a command.

    Parameters
    ----------
    app
        Program or group.
    name
        The command's name.
    example
        A command line that shows its use.

    Returns
    -------
    A decorator that gives the function back unchanged.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        return app.command(name, help=summary_of(function), epilog=f"Example: {example}")(function)

    return register
