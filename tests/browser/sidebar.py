"""The panel as a person sees it: what tests look for and click on."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect


class Sidebar:
    """The Wavebook panel in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.locator("#wavebook")
        self.input = self.panel.get_by_role("combobox", name="Directive")
        self.cards = self.panel.locator(".jp-Wavebook-plan")
        self.rows = self.panel.get_by_role("treeitem")

    def ready(self) -> Sidebar:
        """Wait until JupyterLab stands and the panel shows."""
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)
        expect(self.panel).to_be_visible(timeout=30_000)
        return self

    def ask(self, directive: str) -> None:
        """Write a directive and send it."""
        self.input.fill(directive)
        self.input.press("Enter")

    def run(self, name: str) -> Locator:
        """The row of a run."""
        return self.panel.locator(f'[data-run="{name}"]')

    def wave(self, number: int) -> Locator:
        """The row of a wave."""
        return self.panel.locator(f'[data-kind="wave"][data-wave="{number}"]')

    def command(self, command: str, **arguments: object) -> object:
        """Run a command as another extension would; answers its result where that is JSON, else None."""
        return self.page.evaluate(
            """async ([command, args]) => {
              const result = await window.jupyterapp.commands.execute(command, args);
              return typeof result?.dispose === 'function' ? null : result;
            }""",
            [command, arguments],
        )

    def asked(self, command: str, question: str, button: str, **arguments: object) -> object:
        """Run a command as another extension would, answer what it asks a person, and answer its result."""
        running = self.page.evaluate_handle(
            """([command, args]) => {
              const result = window.jupyterapp.commands.execute(command, args);
              return { answer: result.then(value => [value, null], error => [null, error.message]) };
            }""",
            [command, arguments],
        )
        dialog = self.page.locator(".jp-Dialog")
        expect(dialog).to_contain_text(question)
        dialog.get_by_role("button", name=button, exact=True).click()
        expect(dialog).to_have_count(0)
        value, error = running.evaluate("({ answer }) => answer")
        if error is not None:
            raise RuntimeError(error)
        return value

    def theme(self, name: str) -> None:
        """Change JupyterLab's theme."""
        self.command("apputils:change-theme", theme=name)
        light = "true" if "Light" in name else "false"
        expect(self.page.locator(f'body[data-jp-theme-light="{light}"]')).to_be_attached()

    def widen(self, pixels: int) -> None:
        """Drag the panel's edge until the panel is about that wide."""
        handle = self.page.locator("#jp-main-split-panel > .lm-SplitPanel-handle:not(.lm-mod-hidden)").last
        box, panel = handle.bounding_box(), self.panel.bounding_box()
        assert box is not None
        assert panel is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + panel["width"] - pixels, y, steps=4)
        self.page.mouse.up()

    def picture(self, path: Path) -> None:
        """A picture of the panel alone."""
        self.panel.screenshot(path=path)
