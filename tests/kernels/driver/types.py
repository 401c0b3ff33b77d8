"""Does a kernel have what the BPF programs read and hang on? Answered from its BTF, without booting it."""
from dataclasses import dataclass, field

from . import btf, relocations
from .btf import ARRAY, COMPOSITE, FUNC, FUNC_PROTO, INT, PTR, TYPEDEF

# Whose arguments are looked up. Iterators have a struct instead, which the relocations cover; the exits of system calls are
# part of the kernel's interface to user space, and not in BTF.
WITH_ARGUMENTS = ("tp_btf", "fentry", "fexit", "kprobe", "kretprobe")


@dataclass
class Findings:
    objections: list = field(default_factory=list)  # one sentence each; none: the kernel has it all
    missing: list = field(default_factory=list)  # what it lacks and the programs can do without
    checked: int = 0  # relocations


def read_arguments(path):
    """Place: (arguments that must be there, arguments that may be, is optional) of each line."""
    places = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        place, rest = line.split(maxsplit=1)
        is_optional = rest.endswith(" optional")
        must, _, may = rest.removesuffix(" optional").rstrip(" ]").partition("[")
        places[place] = ([word.strip() for word in must.split(",")], [word.strip() for word in may.split(",") if word.strip()],
                         is_optional)
    return places


def arguments_of(kernel, place):
    """Spelled as in C; None: the kernel has no such place."""
    kind, name = place.split("/", 1)
    if kind == "tp_btf":
        # A raw tracepoint NAME is described by the type `btf_trace_NAME`: a pointer to a function.
        ids = kernel.named(TYPEDEF, f"btf_trace_{name}")
        number = kernel.type(ids[0]).target if ids else 0
        while number and kernel.type(number).kind in (PTR, TYPEDEF):
            number = kernel.type(number).target
        # The first is the context that every one of them has.
        return [kernel.spell(argument) for _, argument in kernel.type(number).members[1:]] if number else None
    ids = kernel.named(FUNC, name)
    if not ids:
        return None
    prototype = kernel.type(kernel.type(ids[0]).target)
    assert prototype.kind == FUNC_PROTO
    return [kernel.spell(argument) for _, argument in prototype.members]


def check_place(kernel, place, expected):
    """(whether programs can hang there, the objection or "")"""
    must, may, is_optional = expected
    arguments = arguments_of(kernel, place)
    if arguments is None:
        return False, "" if is_optional else f"there is no {place}"
    wanted = must + may[:max(0, len(arguments) - len(must))]
    if arguments[:len(wanted)] != wanted:
        return True, f"{place} has the arguments ({', '.join(arguments)}) and not ({', '.join(wanted)})"
    return True, ""


def size_objection(program, kernel, relocation, number):
    """libbpf fits the size of a load to the field where both are pointers, or both unsigned; where only the address is taken,
    the program reads as much as it thinks the field has."""
    own, mine = program.btf, relocation.path[-1][1] if relocation.path else relocation.root
    here, there = own.type(own.plain(mine)), kernel.type(kernel.plain(number))
    if here.kind in COMPOSITE or own.size(mine) == kernel.size(number):
        return ""
    sizes = f"{kernel.size(number)} bytes and not {own.size(mine)}"
    if relocation.is_load:
        both = {here.kind, there.kind}
        return "" if both == {PTR} or (both == {INT} and not here.is_signed and not there.is_signed) else sizes
    # A flexible array has no size of its own, but as many elements as its struct was made with.
    is_flexible = there.kind == ARRAY and there.count == 0
    return "" if here.kind == ARRAY and (is_flexible or kernel.size(number) > own.size(mine)) else sizes


def check(program, kernel, places):
    """`program` is a relocations.Program, `kernel` a btf.Btf."""
    findings = Findings()
    absent = set()
    for hook in program.hooks():
        kind = hook.split("/")[0]
        if kind == "iter":
            if not kernel.named(FUNC, f"bpf_iter_{hook.split('/')[1]}"):
                findings.objections.append(f"there is no {hook}")
        elif kind in WITH_ARGUMENTS:
            if hook not in places:
                findings.objections.append(f"tests/kernels/arguments.list does not say what {hook} has")
                continue
            is_there, objection = check_place(kernel, hook, places[hook])
            if not is_there:
                absent.add(hook)
                findings.missing.append(hook)
            if objection:
                findings.objections.append(objection)
    asked = {}  # (section, root): paths whose existence the program asks for
    for relocation in program.relocations:
        if relocation.kind == relocations.EXISTS:
            asked.setdefault((relocation.section, relocation.root), set()).add(relocation.names())
    seen = set()
    for relocation in program.relocations:
        findings.checked += 1
        if relocation.section in absent:  # it is not loaded
            continue
        spelled = program.spell(relocation)
        number = relocations.find(program, kernel, relocation)
        objection = ""
        if number is not None:
            if relocation.kind == relocations.OFFSET:
                objection = size_objection(program, kernel, relocation, number)
                objection = objection and f"{relocation.section} reads {spelled}, which has {objection}"
        elif relocation.kind in (relocations.EXISTS, relocations.TYPE_EXISTS, relocations.VALUE_EXISTS):
            if spelled not in findings.missing:
                findings.missing.append(spelled)
        elif relocation.kind not in (relocations.ID_LOCAL, ):
            names = relocation.names() if relocation.kind in relocations.OF_FIELDS else ()
            guards = asked.get((relocation.section, relocation.root), set())
            if not any(names[:len(guard)] == guard for guard in guards):
                objection = f"{relocation.section} reads {spelled}, which is not there, and does not ask whether it is"
        if objection and objection not in seen:
            seen.add(objection)
            findings.objections.append(objection)
    return findings


def btf_of(kernel):
    """Of an archive.Kernel: a file with its BTF, made once."""
    file = kernel.modules / "vmlinux.btf"
    if not file.exists():
        fresh = file.with_suffix(".new")
        fresh.write_bytes(btf.in_image(kernel.image.read_bytes()))
        fresh.replace(file)
    return file
