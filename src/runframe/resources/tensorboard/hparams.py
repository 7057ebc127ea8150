"""Hyperparameters that a training wrote for TensorBoard's HParams page, as the config of a run."""

from __future__ import annotations

from typing import Any

from runframe.resources.tensorboard.library import load

PLUGIN = "hparams"


def hyperparameters(content: bytes) -> dict[str, Any]:
    """What a message of the plugin says of a session's beginning; empty for its other messages.

    Raises:
        ValueError: it cannot be read.
    """
    messages = load("plugins.hparams.plugin_data_pb2")
    try:
        data = messages.HParamsPluginData.FromString(content)
    except Exception as error:  # protobuf's own error; the library decides which protobuf that is
        raise ValueError(f"hyperparameters that cannot be read: {error}") from error
    return {name: _plain(value) for name, value in sorted(data.session_start_info.hparams.items())}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return {name: _plain(item) for name, item in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


def config_of(sessions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The config: the entries as they are; where sessions contradict each other, those of each under its folder.

    Args:
        sessions: what each session said, by its folder ("" for the root).
    """
    joined: dict[str, Any] = {}
    for entries in sessions.values():
        if any(name in joined and joined[name] != value for name, value in entries.items()):
            return {folder or ".": entries for folder, entries in sessions.items()}
        joined |= entries
    return joined
