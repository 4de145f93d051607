"""What other programs can call, on the real app: gradio_client, plain HTTP, MCP."""

import asyncio
import json
from ast import literal_eval
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from kpdemo.engine.engine import compare
from kpdemo.keypoints import markups
from kpdemo.zoo import BASELINE, DEFAULT_MODELS


@pytest.fixture(scope="module")
def client(address) -> Client:
    return Client(address, verbose=False, analytics_enabled=False)


def upload(address: str, path: Path) -> dict:
    """A photo as a client that only speaks HTTP passes it."""
    with path.open("rb") as file:
        answer = httpx.post(f"{address}gradio_api/upload", files={"files": file}, timeout=60)
    return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}


def test_compare_is_the_engines_own_result(client, hopper_path):
    result = client.predict(handle_file(hopper_path), ["simplenet"], api_name="/compare")
    own = compare(hopper_path, ["simplenet"]).to_dict()
    assert result.keys() == own.keys()
    assert result["photo"] == own["photo"]
    (face,), (expected,) = result["faces"], own["faces"]
    assert face["box"] == expected["box"]
    answer, other = face["models"]["simplenet"], expected["models"]["simplenet"]
    np.testing.assert_allclose(answer["keypoints"], other["keypoints"], atol=0.1)
    everything = client.predict(handle_file(hopper_path), api_name="/compare")
    assert list(everything["faces"][0]["models"]) == [*DEFAULT_MODELS, BASELINE]


def test_models_are_those_that_compare_knows(client):
    models = client.predict(api_name="/models")
    by_name = {model["name"]: model for model in models}
    assert list(by_name)[: len(DEFAULT_MODELS)] == list(DEFAULT_MODELS)
    assert by_name["unet"]["keypoints"] == list(markups.get("ibug-68").names)
    assert by_name["unet"]["parameters"] == 4_375_484
    assert by_name[BASELINE]["parameters"] is None


def test_plain_http_stands_in_the_queue_too(address, hopper_path):
    call = f"{address}gradio_api/call"
    body = {"photo": upload(address, hopper_path), "model": "mediapipe"}
    event = httpx.post(f"{call}/v2/keypoints", json=body, timeout=60).json()["event_id"]
    said = httpx.get(f"{call}/keypoints/{event}", timeout=240).text
    assert "event: complete" in said
    (result,) = json.loads(said.strip().splitlines()[-1].removeprefix("data: "))
    assert result["markup"] == "mediapipe-478"
    assert len(result["names"]) == len(result["faces"][0]["keypoints"]) == 478
    assert result["faces"][0]["confidence"] is None
    past = httpx.post(f"{address}gradio_api/run/keypoints", json={"data": []}, timeout=60)
    assert past.status_code == 404 and "join the queue" in past.text


def test_what_is_wrong_is_said_in_one_sentence(app_folder, client, tmp_path, hopper_path):
    text = tmp_path / "photo.jpg"
    text.write_text("not a picture")
    for photo, model, message in [
        (handle_file(text), "unet", "not a picture that can be read"),
        (handle_file(hopper_path), "nosuchnet", "Unknown model nosuchnet"),
        (handle_file(hopper_path), None, "a single model as its name"),
        ({"path": str(hopper_path)}, "unet", "Upload the photo first"),
        ("photo.jpg", "unet", "Upload the photo first"),
    ]:
        with pytest.raises(AppError, match=message) as error:
            client.predict(photo, model, api_name="/keypoints")
        assert len(str(error.value).splitlines()) == 1
    for models in (["unet", None], {"unet": 1}):
        with pytest.raises(AppError, match="Pass models as a list of names"):
            client.predict(handle_file(hopper_path), models, api_name="/compare")
    # It is told to the client, and nothing of it stays here.
    assert "not a picture" not in (app_folder / "log").read_text()


def test_a_file_of_the_server_that_nobody_uploaded_stays_closed(address, hopper_path):
    call = f"{address}gradio_api/call"
    for mark in ({"meta": {"_type": "gradio.FileData"}}, {}):
        body = {"photo": {"path": str(hopper_path)} | mark}
        event = httpx.post(f"{call}/v2/keypoints", json=body, timeout=60).json()["event_id"]
        said = httpx.get(f"{call}/keypoints/{event}", timeout=240).text
        assert "event: error" in said and "faces" not in said


def test_only_these_are_open_and_all_are_described(address):
    endpoints = httpx.get(f"{address}gradio_api/info", timeout=60).json()
    assert set(endpoints["named_endpoints"]) == {"/compare", "/keypoints", "/models"}
    assert not endpoints["unnamed_endpoints"]
    face = endpoints["named_endpoints"]["/keypoints"]["returns"][0]["type"]["properties"]["faces"]
    assert set(face["items"]["properties"]) == {
        *("box", "score", "roll", "keypoints", "confidence", "expected_error", "missing"),
    }


def test_a_language_model_has_the_same_as_tools(address, hopper_path):
    # Gradio fetches addresses from public hosts only, which this one is not.
    photo = f"data:image/jpeg;base64,{b64encode(hopper_path.read_bytes()).decode()}"

    async def use() -> tuple:
        async with (
            streamable_http_client(f"{address}gradio_api/mcp/") as (receive, send, _),
            ClientSession(receive, send) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            return (
                {tool.name: tool for tool in tools},
                await session.call_tool("keypoints", {"photo": photo, "model": "unet"}),
                await session.call_tool("keypoints", {"photo": photo, "model": "nosuchnet"}),
            )

    # Playwright's event loop, where other tests left one, runs in this thread.
    with ThreadPoolExecutor(1) as pool:
        tools, answer, refused = pool.submit(lambda: asyncio.run(use())).result()
    assert set(tools) == {"compare", "keypoints", "models"}
    for tool in tools.values():
        assert len(tool.description) > 100
        assert all(field["description"] for field in tool.inputSchema["properties"].values())
    assert not answer.isError
    # Gradio writes a tool's answer as Python does.
    assert len(literal_eval(answer.content[0].text)["faces"]) == 1
    assert refused.isError and "Unknown model nosuchnet" in refused.content[0].text
