"""BTF, as https://docs.kernel.org/bpf/btf.html describes it: types and their names, read from an object file or from
what a kernel's image holds."""
import lzma
import struct
import subprocess
import zlib
from dataclasses import dataclass

MAGIC = 0xEB9F
INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, FUNC_PROTO = range(1, 14)
FLOAT, TYPE_TAG, ENUM64 = 16, 18, 19
COMPOSITE = (STRUCT, UNION)
MODIFIERS = (VOLATILE, CONST, RESTRICT, TYPE_TAG)
POINTER_BYTES = 8

# What follows the 12 bytes of a type of each kind: so many bytes, and so many for each of its members.
TAILS = {INT: (4, 0), ARRAY: (12, 0), STRUCT: (0, 12), UNION: (0, 12), ENUM: (0, 8), FUNC_PROTO: (0, 8), 14: (4, 0),
         15: (0, 12), 17: (4, 0), ENUM64: (0, 12)}


class Malformed(RuntimeError):
    """It is not what it should be. The text is one sentence."""


@dataclass(frozen=True)
class Type:
    kind: int
    name: str
    size: int  # bytes; of struct, union, enum and int
    target: int  # the id of the type that this one is made of
    is_signed: bool = False
    count: int = 0  # elements of an array
    members: tuple = ()  # (name, type id) of the members of a struct, or the parameters of a function


class Btf:
    def __init__(self, data):
        try:
            magic, version, _, header, types, self._types_size, strings, size = struct.unpack_from("<HBBIIIII", data)
        except struct.error as error:
            raise Malformed("it is too short for BTF") from error
        if magic != MAGIC or version != 1:
            raise Malformed("it is no BTF of version 1, or one of the other byte order")
        self._data = data
        self._types = header + types
        self._strings = data[header + strings:header + strings + size]
        self._at = [0]  # where each type begins; 0 is void
        self._ids = {}  # (kind, name): ids
        self._known = {0: Type(0, "void", 0, 0)}
        position, end = self._types, self._types + self._types_size
        unpack = struct.Struct("<II").unpack_from
        while position < end:
            name, info = unpack(data, position)
            kind = info >> 24 & 0x1F
            if name:
                self._ids.setdefault((kind, name), []).append(len(self._at))
            self._at.append(position)
            fixed, each = TAILS.get(kind, (0, 0))
            position += 12 + fixed + each * (info & 0xFFFF)
        by_name = {}
        for (kind, name), ids in self._ids.items():
            by_name.setdefault((kind, essential(self.text(name))), []).extend(ids)
        self._ids = by_name

    def text(self, offset):
        return self._strings[offset:self._strings.index(b"\0", offset)].decode()

    def named(self, kind, name):
        """The ids of the types of this kind and name; what follows ___ in theirs does not count."""
        return self._ids.get((kind, name), [])

    def type(self, number):
        if number not in self._known:
            self._known[number] = self._read(self._at[number])
        return self._known[number]

    def _read(self, at):
        name, info, last = struct.unpack_from("<III", self._data, at)
        kind, members = info >> 24 & 0x1F, info & 0xFFFF
        target, size, count, is_signed, found = last, 0, 0, False, ()
        if kind in (INT, ENUM, ENUM64, FLOAT, *COMPOSITE):
            target, size = 0, last
        if kind == INT:
            is_signed = bool(struct.unpack_from("<I", self._data, at + 12)[0] >> 24 & 1)
        elif kind in (ENUM, ENUM64):
            is_signed = bool(info >> 31)
        elif kind == ARRAY:
            target, _, count = struct.unpack_from("<III", self._data, at + 12)
        elif kind in COMPOSITE:
            found = tuple((self.text(member), number)
                          for member, number, _ in struct.iter_unpack("<III", self._data[at + 12:at + 12 + 12 * members]))
        elif kind == FUNC_PROTO:
            found = tuple((self.text(member), number)
                          for member, number in struct.iter_unpack("<II", self._data[at + 12:at + 12 + 8 * members]))
        return Type(kind, self.text(name), size, target, is_signed, count, found)

    def plain(self, number):
        """The id behind const, volatile and typedef."""
        while self.type(number).kind in (TYPEDEF, *MODIFIERS):
            number = self.type(number).target
        return number

    def size(self, number):
        """In bytes; 0 where it has none."""
        kind = self.type(self.plain(number))
        if kind.kind == PTR:
            return POINTER_BYTES
        return kind.count * self.size(kind.target) if kind.kind == ARRAY else kind.size

    def spell(self, number):
        """As C has it, without const."""
        kind = self.type(number)
        if kind.kind in MODIFIERS:
            return self.spell(kind.target)
        if kind.kind == PTR:
            return self.spell(kind.target).rstrip("*").rstrip() + " " + "*" * (1 + self.spell(kind.target).count("*"))
        word = {STRUCT: "struct ", UNION: "union ", ENUM: "enum ", ENUM64: "enum ", FWD: "struct "}.get(kind.kind, "")
        return word + kind.name


def essential(name):
    """Without the flavour that tells versions of one type apart: "tcp_sock___usec"."""
    return name.partition("___")[0] or name


def sections(data):
    """The sections of a 64-bit ELF file, by name."""
    if data[:4] != b"\x7fELF":
        raise Malformed("it is no ELF file")
    at, = struct.unpack_from("<Q", data, 40)
    each, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, at + i * each) for i in range(count)]
    strings = headers[names][4]

    def name(header):
        begin = strings + header[0]
        return data[begin:data.index(b"\0", begin)].decode()

    return {name(header): data[header[4]:header[4] + header[5]] for header in headers if header[1] != 8}


# How kernels are packed: scripts/extract-vmlinux.
PACKINGS = [(b"\xfd7zXZ\0", lambda data: lzma.LZMADecompressor().decompress(data)),
            (b"\x28\xb5\x2f\xfd", lambda data: _pipe(["zstd", "-dcq"], data)),
            (b"\x1f\x8b\x08", lambda data: zlib.decompressobj(31).decompress(data)),
            (b"\x02\x21\x4c\x18", lambda data: _pipe(["lz4", "-dcq"], data))]


def _pipe(command, data):
    # What follows the packed kernel in its image makes the tool complain at the end.
    return subprocess.run(command, input=data, capture_output=True, check=False).stdout


def in_image(data):
    """The BTF of a kernel's image, packed or not, as the bytes of /sys/kernel/btf/vmlinux."""
    found = _in_plain(data)
    for magic, unpack in PACKINGS:
        at = data.find(magic)
        while found is None and at >= 0:
            try:
                found = _in_plain(unpack(data[at:]))
            except (lzma.LZMAError, zlib.error, FileNotFoundError):
                pass
            at = data.find(magic, at + 1)
    if found is None:
        raise Malformed("the image holds no BTF")
    return found


def _in_plain(data):
    begin = struct.pack("<HBBI", MAGIC, 1, 0, 24)
    at = data.find(begin)
    while at >= 0:
        types, types_size, strings, size = struct.unpack_from("<IIII", data, at + 8)
        end = at + 24 + strings + size
        # A kernel has tens of thousands of types; what is smaller is of something else.
        if types == 0 and strings == types_size > 1 << 16 and end <= len(data) and data[end - size] == 0:
            return data[at:end]
        at = data.find(begin, at + 1)
    return None
