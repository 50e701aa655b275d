"""Takes the pictures of a report in Chromium: `report_pictures.py REPORT.html FOLDER`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

# Name, width, height, dark, what is at the top
PICTURES = (
    ("cover", 1200, 620, False, "#cover"),
    ("access", 1200, 560, False, "section.connection h3:has(+ .picture)"),
    ("findings-dark", 1200, 620, True, "#findings"),
    ("finding-narrow", 400, 760, False, "#findings .card"),
)


def main() -> None:
    report, folder = Path(sys.argv[1]), Path(sys.argv[2])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        for name, width, height, dark, top in PICTURES:
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
            )
            page.goto(report.absolute().as_uri())
            page.locator(top).first.evaluate("one => one.scrollIntoView()")
            page.screenshot(path=folder / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
