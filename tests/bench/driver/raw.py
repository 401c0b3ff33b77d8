"""What was measured, as JSON that a diff can be read of: each round on a line of its own."""
import dataclasses
import json

from .rounds import Spread


def plain(value):
    """Of results that are kept in objects."""
    if isinstance(value, Spread):
        return value.values
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def _shorter(value):
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _shorter(part) for key, part in value.items() if part is not None}
    return [_shorter(part) for part in value] if isinstance(value, list) else value


def _lines(value, depth):
    indent = " " * depth
    if depth < 3 and isinstance(value, dict) and value:
        parts = (f"{indent} {json.dumps(key)}: {_lines(part, depth + 1)}" for key, part in value.items())
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    if depth < 3 and isinstance(value, list) and any(isinstance(part, (dict, list)) for part in value):
        return "[\n" + ",\n".join(f"{indent} {_lines(part, depth + 1)}" for part in value) + f"\n{indent}]"
    return json.dumps(value)


def write(path, value):
    path.write_text(_lines(_shorter(value), 0) + "\n", encoding="utf-8")
