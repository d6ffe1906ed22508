"""Pictures of a demo report for ``docs/``: ``python -m tests.reports.screenshots`` after ``make demo``; needs Chromium.

The demo is trained and tested on invented pages, so that its pictures may be shown.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.reports.browser import CHROMIUM, Browser

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
REPORT: Final = "runs/demo/report.html"
SHIPPED: Final = "runs/demo-shipped"
EXPLAINED: Final = f"{SHIPPED}/report.html"
COMPARED: Final = "runs/demo-compared.html"
OPEN_MISTAKE: Final = "document.querySelector('.mistake details').open = true"
OPEN_WHY: Final = "document.querySelectorAll('.mistake:nth-child(2) details').forEach(details => details.open = true)"
SHOTS: Final = (
    # Name, document, width, height, dark, what stands at the top, what is done before.
    ("report-scores", REPORT, 1280, 1240, False, "#e0", ""),
    ("report-charts", REPORT, 1280, 560, True, "#charts0", ""),
    ("report-mistakes", REPORT, 768, 1000, True, "h3[id^=mistakes]", OPEN_MISTAKE),
    ("report-why", EXPLAINED, 1280, 1240, False, ".mistake:nth-child(2)", OPEN_WHY),
    ("report-pages", REPORT, 390, 844, False, "h3[id^=pages]", ""),
    ("report-compared", COMPARED, 1280, 1000, False, "", ""),
    ("report-compared-pages", COMPARED, 1280, 800, True, "h3[id^=pages]", ""),
)


def main() -> None:
    """Compare the demo's two runs, evaluate the model that ships on the same pages, and take every picture."""
    if CHROMIUM is None:
        sys.exit("screenshots: need Chromium; found none")
    program = Path(sys.executable).with_name("newswinnow")
    for command in (
        ["experiments", "compare", "runs/demo-rule", "runs/demo", "--html", COMPARED],
        ["evaluate", "src/newswinnow/models/shipped", "data/sample/test.jsonl", "-o", SHIPPED, "--overwrite"],
    ):
        subprocess.run([str(program), *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    browser = Browser(CHROMIUM)
    try:
        for name, document, width, height, is_dark, top, done in SHOTS:
            browser.open(ROOT / document, width=width, height=height, is_dark=is_dark)
            browser.run(done)
            if top:
                browser.run(f"document.querySelector({top!r}).scrollIntoView()")
            browser.screenshot(DOCS / f"{name}.png")
    finally:
        browser.close()


if __name__ == "__main__":
    main()
