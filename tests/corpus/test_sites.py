"""Registrable domains."""

import builtins
from typing import Any

import pytest

from newswinnow.corpus import sites
from newswinnow.corpus.sites import registrable_domain


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("https://www.bbc.co.uk/news/1", "bbc.co.uk"),
        ("o.canada.com", "canada.com"),
        ("http://News.Paper.Example:80/x?y#z", "paper.example"),
        ("a.blogspot.com", "blogspot.com"),
        ("localhost", "localhost"),
        ("10.0.0.1", "10.0.0.1"),
        ("co.uk", "co.uk"),
        ("  ", None),
        ("", None),
        (".", None),
    ],
)
def test_domain_of_an_address(address: str, domain: str | None) -> None:
    assert registrable_domain(address) == domain


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "tldextract":
            raise ImportError(name)
        return real(name, *arguments, **options)

    sites._extractor.cache_clear()
    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ModuleNotFoundError, match=r"needs tldextract; got no such package \(pip install 'newswinnow\[clean\]'\)"):
        registrable_domain("never-asked-before.example")
