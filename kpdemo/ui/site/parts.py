"""Leaderboard and About of the page without a server, which are fixed when it is written."""

import re
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt

from kpdemo.records import leaderboard as records
from kpdemo.records.standings import BOARDS, Board, Standings
from kpdemo.ui.about import tab as about_tab
from kpdemo.ui.leaderboard import tab as leaderboard_tab
from kpdemo.ui.leaderboard import tables

# Sections of the About tab that read otherwise on this page.
_SECTIONS = Path(__file__).with_name("about.md")
_SECTION = re.compile(r"^## (.+?)\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def leaderboard() -> str:
    """HTML of every board's table, and of the errors on degraded photos."""
    standings = records.read()
    boards = "".join(_board(standings, board) for board in BOARDS if standings.on(board))
    robustness = tables.robustness(standings.robustness, standings.rows)
    if robustness:
        robustness = (
            '<h2 class="kp-section">Robustness to degraded photos</h2>'
            f'<div id="robustness">{robustness}</div>'
        )
    return f'<div id="leaderboard">{boards}</div>{robustness}'


def _board(standings: Standings, board: Board) -> str:
    title = escape(leaderboard_tab.TITLES[board.name])
    table = tables.html(standings.on(board), board.name)
    # Several on one page, each with a name of its own.
    table = table.replace('aria-label="Leaderboard"', f'aria-label="{title}"')
    return f'<h2 class="kp-section">{title}</h2>{table}'


def about() -> str:
    """HTML of the About tab, with what is different on this page."""
    own = {m[1]: m[0] for m in _SECTION.finditer(_SECTIONS.read_text(encoding="utf-8"))}
    before, diagrams, after = about_tab.parts()
    after = _SECTION.sub(lambda section: own.get(section[1], section[0]), after)
    markdown = MarkdownIt("commonmark").enable("table")
    return markdown.render(before) + diagrams + markdown.render(after)
