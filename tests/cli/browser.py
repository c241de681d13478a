"""A headless Chromium for the tests of pages, with every request and console message kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

WIDTHS = (1400, 400)
"""A laptop and a phone."""
DRAWN = (
    "return document.querySelectorAll('section[data-script]:not([data-drawn])').length "
    "+ (typeof bnnsim === 'undefined') === 0"
)
"""That every figure of a report page is drawn."""


def chromium() -> tuple[str, str]:
    """Paths of browser and driver; skips the test where one is missing."""
    pytest.importorskip("selenium", reason="selenium is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next((path for name in names if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("Chromium or its driver is not installed")
    return browser, driver


class Page:
    """One opened page."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def run(self, script: str, *arguments: Any) -> Any:
        """The value that ``script`` returns in the page."""
        return self.driver.execute_script(script, *arguments)

    def press(self, selector: str) -> None:
        """Scroll to an element and click it."""
        from selenium.webdriver.common.by import By

        element = self.driver.find_element(By.CSS_SELECTOR, selector)
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        element.click()
        self.settle()

    def type(self, selector: str, keys: str) -> None:
        """Press keys on an element that has the focus."""
        from selenium.webdriver.common.by import By

        self.driver.find_element(By.CSS_SELECTOR, selector).send_keys(keys)
        self.settle()

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        wait = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))"
        self.driver.execute_async_script(wait)

    def complaints(self) -> list[str]:
        """Console messages of warning or worse, exceptions included."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Every address asked for so far, pictures inside the page left out."""
        log = self.driver.get_log("performance")
        messages = [json.loads(entry["message"])["message"] for entry in log]
        asked = [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in asked if not url.startswith("data:")]


@contextmanager
def opened(path: Path, width: int, drawn: str = DRAWN) -> Iterator[Page]:
    """``path`` in a window of ``width`` pixels, once ``drawn``, a script, says that all is."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.ui import WebDriverWait

    browser, driver_path = chromium()
    options = Options()
    options.binary_location = browser
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(driver_path))
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        # Without animated scrolling a click meets the element where it is.
        still = [{"name": "prefers-reduced-motion", "value": "reduce"}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": still})
        driver.get(path.as_uri())
        WebDriverWait(driver, 20).until(lambda d: d.execute_script(drawn))
        yield Page(driver)
    finally:
        driver.quit()
