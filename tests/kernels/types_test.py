"""The check of types finds what it is there for: small programs, held against a small kernel."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kernels"))
CLANG, LINKED = sys.argv[1], Path(sys.argv[2])

from driver import btf, relocations, types  # noqa: E402

OWN = Path("/sys/kernel/btf/vmlinux")

KERNEL = """
typedef unsigned char u8;
struct inner { int x; };
struct thing {
    unsigned int wide;
    int same;
    int negative;
    union { int hidden; struct inner deep; };
    struct inner *pointer;
    char name[32];
    unsigned narrow : 3;
    char tail[];
};
typedef void (*btf_trace_happened)(void *context, const struct thing *, u8, int);
btf_trace_happened trace;
struct thing object;
int on_function(struct thing *thing, int how) { return thing->same + how; }
"""

PROGRAM = """
#define SEC(name) __attribute__((section(name), used))
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct inner {{ int x; }};
struct thing {{ {fields} }};
struct thing___other {{ {other} }};
#pragma clang attribute pop
#define EXISTS(field) __builtin_preserve_field_info(field, 2)
static int (*probe_read)(void *, int, const void *) = (void *)113;
SEC("{section}") int program(unsigned long long *ctx)
{{
    struct thing *t = (void *)ctx[0];
    struct thing___other *o = (void *)t;
    int copy = 0;
    {body}
}}
"""


def compiled(text):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "object.o"
        subprocess.run([CLANG, "-g", "-O2", "-target", "bpf", "-x", "c", "-", "-c", "-o", out], input=text, text=True, check=True)
        return out.read_bytes()


def kernel():
    return btf.Btf(btf.sections(compiled(KERNEL))[".BTF"])


class Types(unittest.TestCase):
    def check(self, body, fields="int same;", other="int same;", section="tp_btf/happened",
              places="tp_btf/happened struct thing *, u8 [, int]"):
        program = relocations.Program(compiled(PROGRAM.format(body=body, fields=fields, other=other, section=section)))
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(places + "\n")
            file.flush()
            return types.check(program, kernel(), types.read_arguments(Path(file.name)))

    def test_fields_that_are_there(self):
        for field, declared in (("same", "int same;"), ("wide", "unsigned int wide;"), ("hidden", "int hidden;"),
                                ("deep.x", "struct inner deep;"), ("pointer->x", "struct inner *pointer;"),
                                ("name[3]", "char name[32];")):
            with self.subTest(field):
                findings = self.check(f"return t->{field};", declared)
                self.assertEqual((findings.objections, findings.missing), ([], []))
                self.assertGreater(findings.checked, 0)

    def test_made_up_field(self):
        self.assertEqual(self.check("return t->made_up;", "int made_up;").objections,
                         ["tp_btf/happened reads struct thing.made_up, which is not there, and does not ask whether it is"])

    def test_made_up_struct(self):
        self.assertEqual(len(self.check("return ((struct nothing *)t)->x;",
                                        "int same; }; struct nothing { int x;").objections), 1)

    def test_asks_first(self):
        body = "return EXISTS(t->made_up) ? t->made_up : 0;"
        findings = self.check(body, "int made_up;")
        self.assertEqual((findings.objections, findings.missing), ([], ["struct thing.made_up"]))

    def test_asks_of_a_flavour(self):
        body = "return EXISTS(o->made_up) ? o->made_up.x : t->same;"
        findings = self.check(body, other="struct inner made_up;")
        self.assertEqual((findings.objections, findings.missing), ([], ["struct thing___other.made_up"]))
        # Whoever asks of one, does not ask of the other.
        self.assertEqual(len(self.check("return EXISTS(o->made_up) ? t->made_up : 0;", "int made_up;", "int made_up;").objections), 1)

    def test_other_kind(self):
        self.assertEqual(len(self.check("return t->same != 0;", "void *same;").objections), 1)

    def test_sizes(self):
        # libbpf fits unsigned loads, and no others.
        self.assertEqual(self.check("return t->wide;", "unsigned char wide;").objections, [])
        self.assertEqual(self.check("return t->negative;", "signed char negative;").objections,
                         ["tp_btf/happened reads struct thing.negative, which has 4 bytes and not 1"])
        # Where the address is taken, nothing is fitted.
        taken = "probe_read(&copy, sizeof(t->wide), &t->wide); return copy;"
        self.assertEqual(len(self.check(taken, "unsigned char wide;").objections), 1)
        self.assertEqual(self.check(taken, "unsigned int wide;").objections, [])
        whole = "probe_read(&copy, 4, &t->name); return copy;"
        self.assertEqual(self.check(whole, "char name[16];").objections, [])
        self.assertEqual(len(self.check(whole, "char name[64];").objections), 1)
        # A flexible array is as long as it was made.
        self.assertEqual(self.check("probe_read(&copy, 4, &t->tail); return copy;", "char tail[4];").objections, [])

    def test_arguments(self):
        def objections(section, places):
            return self.check("return t->same;", section=section, places=places).objections
        self.assertEqual(objections("tp_btf/happened", "tp_btf/happened struct thing *"), [])
        self.assertEqual(objections("tp_btf/happened", "tp_btf/happened struct thing *, u8, int [, long]"), [])
        self.assertEqual(objections("tp_btf/happened", "tp_btf/happened struct thing *, int"),
                         ["tp_btf/happened has the arguments (struct thing *, u8, int) and not (struct thing *, int)"])
        self.assertEqual(len(objections("tp_btf/happened", "tp_btf/happened struct thing *, u8, int, int")), 1)
        self.assertEqual(len(objections("tp_btf/happened", "tp_btf/happened struct thing *, u8 [, long]")), 1)
        self.assertEqual(objections("tp_btf/never", "tp_btf/never struct thing *"), ["there is no tp_btf/never"])
        self.assertEqual(objections("fentry/on_function", "fentry/on_function struct thing *, int"), [])
        self.assertEqual(len(objections("fentry/on_function", "fentry/on_function struct thing *, u8")), 1)
        self.assertEqual(objections("iter/thing", ""), ["there is no iter/thing"])

    def test_place_that_nobody_described(self):
        self.assertIn("does not say what tp_btf/happened has",
                      self.check("return t->same;", places="tp_btf/other int").objections[0])

    def test_absent_place_is_not_read(self):
        findings = self.check("return t->made_up;", "int made_up;", section="fentry/never",
                              places="fentry/never struct thing * optional")
        self.assertEqual((findings.objections, findings.missing), ([], ["fentry/never"]))

    @unittest.skipUnless(OWN.exists(), f"this kernel has no {OWN}")
    def test_own_kernel_has_what_the_programs_read(self):
        findings = types.check(relocations.Program(LINKED.read_bytes()), btf.Btf(OWN.read_bytes()),
                               types.read_arguments(ROOT / "tests/kernels/arguments.list"))
        self.assertEqual(findings.objections, [])
        self.assertGreater(findings.checked, 100)

    @unittest.skipUnless(OWN.exists(), f"this kernel has no {OWN}")
    def test_btf_in_an_image(self):
        data = OWN.read_bytes()
        self.assertEqual(btf.in_image(b"code \x9f\xeb\x01\0" + data + b"more"), data)
        with self.assertRaises(btf.Malformed):
            btf.in_image(b"code")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
