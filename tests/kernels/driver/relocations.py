"""What a BPF object reads of the kernel: its CO-RE relocations, resolved against a kernel's BTF as libbpf does it
(src/relo_core.c)."""
import struct
from dataclasses import dataclass

from . import btf
from .btf import ARRAY, COMPOSITE, ENUM, ENUM64, FLOAT, FWD, INT, PTR, Malformed, essential

# enum bpf_core_relo_kind
OFFSET, SIZE, EXISTS, SIGNED, LSHIFT, RSHIFT, ID_LOCAL, ID_TARGET, TYPE_EXISTS, TYPE_SIZE, VALUE_EXISTS, VALUE, MATCHES = range(13)
OF_FIELDS = range(OFFSET, RSHIFT + 1)
LOAD, STORE, STORE_CONSTANT = 0x01, 0x03, 0x02  # classes of instructions


@dataclass(frozen=True)
class Relocation:
    section: str  # of the program, or of the function that programs share
    kind: int
    root: int  # type id in the object
    path: tuple  # ("->", or a member's name or an element's number) and type id in the object, from the root on
    is_load: bool  # or store: the instruction takes its size from the field

    def names(self):
        return tuple(name for name, _ in self.path)


class Program:
    """A linked BPF object."""

    def __init__(self, data):
        self._sections = btf.sections(data)
        if ".BTF" not in self._sections or ".BTF.ext" not in self._sections:
            raise Malformed("it holds no BTF: build it with -g")
        self.btf = btf.Btf(self._sections[".BTF"])
        self.relocations = list(self._read())

    def hooks(self):
        """The sections of programs, as libbpf takes them: "tp_btf/inet_sock_set_state"."""
        return [name.lstrip("?") for name in self._sections if "/" in name and not name.startswith((".rel", "."))]

    def _read(self):
        data = self._sections[".BTF.ext"]
        magic, _, _, header = struct.unpack_from("<HBBI", data)
        if magic != btf.MAGIC or header < 32:
            raise Malformed("its .BTF.ext has no relocations")
        begin, size = struct.unpack_from("<II", data, 24)
        at, end = header + begin, header + begin + size
        each = struct.unpack_from("<I", data, at)[0] if size else 0
        at += 4
        while at < end:
            name, count = struct.unpack_from("<II", data, at)
            at += 8
            section = self.btf.text(name)
            for _ in range(count):
                place, root, access, kind = struct.unpack_from("<IIII", data, at)
                at += each
                code = self._sections[section][place]
                # BPF_ST says what is stored, BPF_STX from where: only the size of a field matters in both.
                is_load = code & 7 in (LOAD, STORE, STORE_CONSTANT)
                path = self._path(root, self.btf.text(access)) if kind in OF_FIELDS else self.btf.text(access)
                yield Relocation(section.lstrip("?"), kind, root, path, is_load)

    def _path(self, root, access):
        first, *rest = map(int, access.split(":"))
        if first:
            raise Malformed(f"an access begins with element {first} of a pointer")
        path, number = [], root
        for index in rest:
            kind = self.btf.type(self.btf.plain(number))
            if kind.kind == ARRAY:
                name, number = index, kind.target
            elif kind.kind in COMPOSITE:
                name, number = kind.members[index]
            else:
                raise Malformed(f"an access goes into {kind.name}, which has no members")
            if name != "":
                path.append((name, number))
        return tuple(path)

    def spell(self, relocation):
        text = self.btf.spell(relocation.root)
        for name in relocation.names() if relocation.kind in OF_FIELDS else ():
            text += f"[{name}]" if isinstance(name, int) else f".{name}"
        return text


def find(program, kernel, relocation):
    """The type id that the path leads to in the kernel's BTF; None: there is no such thing. Several of one name that
    lead to different types are taken for one if their sizes are the same."""
    root = program.btf.type(relocation.root)
    found = {}
    for candidate in kernel.named(root.kind, essential(root.name)):
        number = candidate
        for name, wanted in relocation.path if relocation.kind in OF_FIELDS else ():
            number = _step(kernel, number, name)
            if number is None or not _is_compatible(program.btf, wanted, kernel, number):
                number = None
                break
        if number is not None:
            found.setdefault(kernel.size(number), number)
    return next(iter(found.values())) if len(found) == 1 else None


def _step(kernel, number, name):
    kind = kernel.type(kernel.plain(number))
    if kind.kind == ARRAY and isinstance(name, int):
        return kind.target if name < kind.count or kind.count == 0 else None
    if kind.kind not in COMPOSITE or isinstance(name, int):
        return None
    for member, target in kind.members:
        if member == name:
            return target
        if not member and (inner := _step(kernel, target, name)) is not None:
            return inner
    return None


def _is_compatible(own, number, kernel, other):
    """bpf_core_fields_are_compat() of libbpf."""
    mine, its = own.type(own.plain(number)), kernel.type(kernel.plain(other))
    if mine.kind in COMPOSITE and its.kind in COMPOSITE:
        return True
    if mine.kind in (ENUM, ENUM64) and its.kind in (ENUM, ENUM64):
        return not mine.name or not its.name or essential(mine.name) == essential(its.name)
    if mine.kind != its.kind:
        return False
    if mine.kind == FWD:
        return essential(mine.name) == essential(its.name)
    if mine.kind == ARRAY:
        return _is_compatible(own, mine.target, kernel, its.target)
    return mine.kind in (INT, PTR, FLOAT)
