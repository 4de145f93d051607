"""Parts of dependencies that are private or undocumented: this fails first when one changes."""

import inspect
import re

import pytest
import torch
from gradio.queueing import Queue
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder
from huggingface_hub.utils import _http

from kpdemo.ui import theme


@pytest.mark.parametrize("name", ["_reorder_convolution_weight", "_convolution_pointwise"])
def test_torch_has_the_onednn_operators(name):
    assert hasattr(torch.ops.mkldnn, name), f"kpdemo/models/onednn.py needs {name}"


def test_the_hubs_default_client_can_be_given_a_timeout():
    client = _http.default_client_factory()
    client.timeout = 60.0
    assert client.timeout.read == 60.0, "train/publish/push.py limits its timeout"


def test_gradio_keeps_sessions_as_the_page_forgets_them():
    assert "state_holder" in inspect.getsource(App), "kpdemo/ui/page.py passes it on"
    sessions = vars(StateHolder())
    assert {"lock", "time_last_used", "session_data"} <= set(sessions), (
        "kpdemo/ui/session.py forgets idle sessions by these"
    )


def test_gradio_takes_events_from_its_queue_as_the_page_gives_them():
    source = inspect.getsource(Queue)
    assert "event_batch = self.get_events()" in source, "kpdemo/ui/queue_order.py replaces it"
    assert "events, batch, concurrency_id = event_batch" in source
    assert "self.sleep_when_free" in source, "kpdemo/ui/queue_order.py polls less often"


def test_gradio_makes_sessions_of_no_more_than_the_page_gives_them():
    source = inspect.getsource(SessionState.__init__)
    used = set(re.findall(r"(?<!\.)\bblocks\.(\w+)", source))
    assert used <= {"default_config", "blocks"}, "kpdemo/ui/session.py gives these"


def test_gradios_themes_have_a_style_sheet():
    variables = theme.variables()
    assert "--body-text-color: #1f1c18" in variables, "kpdemo/ui/theme.py styles the static page"
    assert "--body-text-color: #f0ece5" in variables.partition(".dark")[2]
