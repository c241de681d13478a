"""Architecture specs: an accelerator's hardware (``arch_specs/*.yaml``), of one kind or the other."""

from __future__ import annotations

from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import SpecError, near_names
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.yaml.source import UNREAD, SourceText
from bnnsim.spec.yaml.validate import value_text

Architecture = StreamingArchitecture | EngineArchitecture

_STYLES: dict[str, type[StreamingArchitecture] | type[EngineArchitecture]] = {
    "streaming": StreamingArchitecture,
    "engine": EngineArchitecture,
}


def architecture_model(
    source: SourceText,
) -> type[StreamingArchitecture] | type[EngineArchitecture]:
    """The kind of spec that an architecture's ``style`` asks for. Raises :class:`SpecError`."""
    style = source.data.get("style", "streaming") if isinstance(source.data, dict) else "streaming"
    if style is UNREAD:
        raise SpecError(source.faults)
    model = _STYLES.get(style) if isinstance(style, str) else None
    if model is None:
        expected = f"one of {', '.join(_STYLES)}"
        near = near_names(str(style), _STYLES)
        raise SpecError([*source.faults, source.fault(("style",), expected, value_text(style), near)])
    return model
