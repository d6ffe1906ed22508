"""Word lists that features look up: function words, imperatives of buttons, pronouns, calendar and duration words.

English only; all in lower case. How they are counted is left to the feature modules.
"""

from typing import Final

# Closed-class words of English, for a stop-word density as jusText uses (Pomikálek 2011).
STOP_WORDS: Final = frozenset(
    """a about after all also an and any are as at be because been before being but by can could did do does for from had
    has have he her his how i if in into is it its just like may more most my no not of on one only or other our out over
    said she should since so some such than that the their them then there these they this to under up was we were what
    when which while who will with would you your""".split()
)
IMPERATIVES: Final = frozenset(
    """read see watch share sign subscribe click view download follow log join get find shop learn listen play skip
    search open close buy try show hide like tweet print email contact register continue check visit add enter""".split()
)
PRONOUNS: Final = frozenset("i you he she we they me him her us them my your his our their".split())
CALENDAR_WORDS: Final = frozenset(
    """january february march april may june july august september october november december jan feb mar apr jun jul aug
    sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun""".split()
)
DURATION_WORDS: Final = frozenset(
    "ago am pm read min mins minute minutes hour hours hr hrs day days week weeks month months year years".split()
)
