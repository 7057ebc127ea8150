"""How objects show themselves in notebooks: the server's own page of them, in an iframe."""

from __future__ import annotations

import html

from runframe.progress import notebook_shell
from runframe.resources.node import Node

REVEAL = "this.nextSibling.style.display='block';this.style.display='none';"
"""What a click on the button does, which stands directly before the hidden iframe."""


class Shown(Node):
    """An object that has a page of its own on the server; a notebook shows it where the object is a cell's result."""

    _what = "run"
    """What the button calls it."""

    @property
    def url(self) -> str | None:
        """The address of its page; None where it isn't known."""
        raise NotImplementedError

    def to_html(self, height: int = 420, hidden: bool = False) -> str:
        """An iframe of the object's page.

        Args:
            height: its height in pixels.
            hidden: begin with a button alone, which shows the iframe.
        """
        if (url := self.url) is None:
            return "<div>The address of this page is not known.</div>"
        style = f"border:none;width:100%;height:{height}px;" + ("display:none;" if hidden else "")
        button = f'<button onClick="{REVEAL}">Display W&B {self._what}</button>' if hidden else ""
        return f"{button}<iframe src={url + '?jupyter=true'!r} style={style!r}></iframe>"

    def _repr_html_(self) -> str:
        # Notebooks of VS Code show no iframes of other hosts.
        return html.escape(repr(self)) if in_vscode() else self.to_html()


def in_vscode() -> bool:
    """Whether a notebook of VS Code runs us."""
    shell = notebook_shell()
    return shell is not None and "__vsc_ipynb_file__" in shell.user_ns
