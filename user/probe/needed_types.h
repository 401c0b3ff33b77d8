// Of the kernel's types, what libbpf needs to relocate programs (CO-RE).
#pragma once

#include "probe/kernel_btf.h"

#include <cstddef>
#include <vector>

struct btf;

namespace tcpflight {

// Those that have a name in common with a type of the programs' ("struct sock___old" asks for "sock"), with the members
// that one of these names, and what these are made of. Sizes and offsets are the kernel's, pointers lead nowhere. As
// bytes of a BTF of its own: libbpf, which goes through all types for each that a program reads, has a few hundred to
// go through instead of a hundred thousand.
std::vector<std::byte> needed_types(const KernelBtf &kernel, const btf &programs);

} // namespace tcpflight
