"""Registrable domains."""

import builtins
from typing import Any

import pandas as pd
import pytest

from newswinnow.corpus import sites
from newswinnow.corpus.sites import registrable_domain, registrable_domains, without_sites_of


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


def table_of(*pages: tuple[str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(pages, columns=["page", "site"], dtype="str")


def test_domains_keep_their_rows_and_gaps() -> None:
    found = registrable_domains(pd.Series(["www.paper.example", None, "a.paper.example", ""], index=[4, 3, 2, 1], dtype="str"))
    assert found.dropna().to_dict() == {4: "paper.example", 2: "paper.example"}
    assert found.index.tolist() == [4, 3, 2, 1]


def test_pages_and_sites_of_others_are_left_out_whatever_the_host() -> None:
    first, second = table_of(("known", "www.paper.example"), ("nowhere", None)), table_of(("d", None)).drop(columns="site")
    table = table_of(
        ("known", "other.example"), ("a", "sport.paper.example"), ("b", "gazette.example"), ("c", None), ("d", "x.example")
    )
    assert without_sites_of(table, [first, second]).index.tolist() == [2, 3]
    assert without_sites_of(table.drop(columns="site"), [first])["page"].tolist() == ["a", "b", "c", "d"]
    assert without_sites_of(table, []).equals(table)


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
