"""Leaderboard and About of the page without a server, which are fixed when it is written."""

import re
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt

from kpdemo.records import leaderboard as records
from kpdemo.records.standings import BOARDS
from kpdemo.ui.about import tab as about_tab
from kpdemo.ui.leaderboard import tab as leaderboard_tab
from kpdemo.ui.leaderboard import tables

# Sections of the About tab that read otherwise on this page.
_SECTIONS = Path(__file__).with_name("about.md")
_SECTION = re.compile(r"^## (.+?)\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def leaderboard() -> str:
    """HTML of every board's table, and of the errors on degraded photos."""
    standings = records.read()
    boards = "".join(
        f'<h2 class="kp-section">{escape(leaderboard_tab.TITLES[board.name])}</h2>'
        f"{tables.html(standings.on(board), board.name)}"
        for board in BOARDS
        if standings.on(board)
    )
    robustness = tables.robustness(standings.robustness, standings.rows)
    if robustness:
        robustness = (
            '<h2 class="kp-section">Robustness to degraded photos</h2>'
            f'<div id="robustness">{robustness}</div>'
        )
    return boards + robustness


def about() -> str:
    """HTML of the About tab, with what is different on this page."""
    own = {m[1]: m[0] for m in _SECTION.finditer(_SECTIONS.read_text(encoding="utf-8"))}
    before, diagrams, after = about_tab.parts()
    after = _SECTION.sub(lambda section: own.get(section[1], section[0]), after)
    markdown = MarkdownIt("commonmark").enable("table")
    return markdown.render(before) + diagrams + markdown.render(after)
