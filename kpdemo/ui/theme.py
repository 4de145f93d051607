"""The page's theme: Gradio's base theme with our own colours, shapes and fonts."""

from pathlib import Path

import gradio as gr

# The sizes of `page.css`, by Gradio's names for them.
_TEXT = gr.themes.sizes.Size(
    name="text_kpdemo",
    xxs="13px",
    xs="13px",
    sm="13px",
    md="15px",
    lg="15px",
    xl="18px",
    xxl="24px",
)
_SHEETS = sorted(Path(__file__).parent.rglob("*.css"), key=lambda path: path.name)
# That of the page without Gradio is for it alone.
CSS = [path for path in _SHEETS if path.parent.name != "site"]


def build() -> gr.themes.Base:
    """Ink on paper with one teal accent, far from every model's colour; fonts of this machine."""
    theme = gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.stone,
        text_size=_TEXT,
        radius_size=gr.themes.sizes.radius_md,
        font=("ui-sans-serif", "system-ui", "sans-serif"),
        font_mono=("ui-monospace", "monospace"),
    )
    return theme.set(
        body_background_fill="#f6f4ef",
        body_background_fill_dark="#151413",
        background_fill_primary="#fffdf9",
        background_fill_primary_dark="#1f1d1b",
        background_fill_secondary="#efece5",
        background_fill_secondary_dark="#2a2725",
        block_background_fill="#fffdf9",
        block_background_fill_dark="#1f1d1b",
        block_border_width="1px",
        block_shadow="none",
        block_label_background_fill="#fffdf9",
        block_label_background_fill_dark="#1f1d1b",
        block_label_border_width="0",
        block_label_text_color="#1f1c18",
        block_label_text_color_dark="#f0ece5",
        block_title_text_color="#1f1c18",
        block_title_text_color_dark="#f0ece5",
        color_accent="#0f5f59",
        block_title_text_weight="600",
        link_text_color="#0f5f59",
        link_text_color_dark="#5fd3c4",
        link_text_color_hover="#0b4a45",
        link_text_color_hover_dark="#8ae3d7",
        link_text_color_visited="#0f5f59",
        link_text_color_visited_dark="#5fd3c4",
        border_color_primary="#dcd7cc",
        border_color_primary_dark="#3b3733",
        body_text_color="#1f1c18",
        body_text_color_dark="#f0ece5",
        body_text_color_subdued="#5f584e",
        body_text_color_subdued_dark="#b3aba0",
        button_primary_background_fill="#0f5f59",
        button_primary_background_fill_hover="#0b4a45",
        button_primary_background_fill_dark="#5fd3c4",
        button_primary_background_fill_hover_dark="#8ae3d7",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#10201e",
        checkbox_background_color_selected="#0f5f59",
        checkbox_background_color_selected_dark="#0f8a7f",
        checkbox_border_color_selected="#0f5f59",
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
        checkbox_label_background_fill_selected="transparent",
        checkbox_label_background_fill_selected_dark="transparent",
        checkbox_label_text_color_selected="#1f1c18",
        checkbox_label_text_color_selected_dark="#f0ece5",
        checkbox_label_border_width="0",
        checkbox_label_shadow="none",
    )


def variables() -> str:
    """The style sheet of the theme's variables, light and dark, for a page without Gradio."""
    return build()._get_theme_css()
