"""What HTML elements do to text: which ones cut it, which ones do not show it.

Walking a page is left to :mod:`newswinnow.harvest.html`.
"""

from typing import Final

BLOCKS: Final = frozenset(
    """address article aside blockquote body button caption center dd details dialog dir div dl dt fieldset figcaption
    figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr label legend li listing main menu nav ol optgroup option p
    plaintext pre search section select summary table tbody td tfoot th thead tr ul xmp""".split()
)
SKIPPED: Final = frozenset(
    """script style noscript template head svg math iframe object embed canvas audio video map textarea input img meta
    link title datalist frameset noembed noframes rp""".split()
)
