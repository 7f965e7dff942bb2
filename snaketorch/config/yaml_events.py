"""From a file to YAML's events, or to the reason why there are none."""

import re
import stat
from pathlib import Path

import yaml

MAX_BYTES = 1_000_000
MAX_VALUES = 20_000
MAX_DEPTH = 20
"""Far above any configuration; libyaml needs minutes for some thousand open brackets."""

_NO_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HINTS = {
    "tab": "spaces to indent",
    "a value begins with": "such text in quotes",
    "mapping values": "text with ': ' in quotes, and equal indents for the keys of a section",
    "expected key": "equal indents for the keys of a section",
    "expected ':'": "KEY: VALUE, with a space after the colon",
    "expected ','": "brackets that are closed",
    "node content": "a value, and brackets that are closed",
    "end of stream": "quotes that are closed",
    "incompatible": "YAML 1.2",
}
"""What to do about libyaml's messages."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableError(Exception):
    """Nothing of the file can be used."""

    def __init__(self, line: int, what: str):
        super().__init__(what)
        self.line, self.what = line, what


def _text(path: Path) -> str:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # reading a pipe or a device might never end
            what = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise UnreadableError(0, f"is {what}; allowed: a file")
        if found.st_size > MAX_BYTES:
            raise UnreadableError(0, f"is {found.st_size:,} bytes long; allowed: {MAX_BYTES:,}")
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        what = "is a link to nothing" if path.is_symlink() else "does not exist"
        raise UnreadableError(0, f"{what}; allowed: a file") from None
    except OSError as error:
        raise UnreadableError(0, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UnreadableError(line, "is not UTF-8; allowed: text in UTF-8") from None
    if found := _NO_TEXT.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise UnreadableError(line, f"holds the control character U+{ord(found.group()):04X}; allowed: text")
    return text


def events_of(path: Path) -> list[yaml.Event]:
    """What libyaml sees in the one document of a file.

    Events, not nodes: composing nodes recurses in C and dies of deep nesting.

    Raises:
        UnreadableError: when there is no one document, or it is beyond all measure.
    """
    text = _text(path)
    events: list[yaml.Event] = []
    depth = documents = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise UnreadableError(line, "holds a second document; allowed: one mapping in each file")
            elif isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
                events.append(event)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            stay_small(len(events) // 2, depth, line)
    except yaml.YAMLError as error:
        raise _syntax_error(error, text) from None
    return events


def stay_small(values: int, depth: int, line: int) -> None:
    """UnreadableError for more than a configuration can hold."""
    if depth > MAX_DEPTH:
        raise UnreadableError(line, f"is nested more than {MAX_DEPTH} deep; allowed: the sections of config/README.md")
    if values > MAX_VALUES:
        raise UnreadableError(line, f"holds more than {MAX_VALUES:,} values, those of aliases counted; allowed: fewer")


def _syntax_error(error: yaml.YAMLError, text: str) -> UnreadableError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    if mark is None:
        return UnreadableError(0, f"is not YAML: {what}")
    if "<document start>" in what:
        return UnreadableError(mark.line + 1, "holds a second document; allowed: one mapping in each file")
    if "cannot start any token" in what:
        letter = text[mark.index : mark.index + 1]
        what = "a tab indents" if letter == "\t" else f"a value begins with '{letter}'"
    if (context := getattr(error, "context_mark", None)) and context.line != mark.line:
        what += f" ({error.context}, which began in line {context.line + 1})"
    hint = next((f"; allowed: {hint}" for sign, hint in _HINTS.items() if sign in what), "")
    return UnreadableError(mark.line + 1, f"is not YAML: {what}{hint}")
